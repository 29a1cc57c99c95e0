#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_install.sh BUILD CC CMAKE GENERATOR - an installed tree serves a program through CMake's package config and
# through pkg-config, also after it was moved.
set -eu
build=$1 cc=$2 cmake=$3 generator=$4
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$cmake" --install "$build" --prefix "$work/first" >"$work/install.log"
mv "$work/first" "$work/moved"
sanitize=$(sed -n 's/^HYPERION_SANITIZE:STRING=//p' "$build/CMakeCache.txt")
flags=${sanitize:+-fsanitize=$sanitize}

"$cmake" -G "$generator" -S "$here/consumer" -B "$work/by-cmake" -DCMAKE_PREFIX_PATH="$work/moved" -DCMAKE_C_COMPILER="$cc" \
    -DCMAKE_C_FLAGS="$flags" >"$work/configure.log"
"$cmake" --build "$work/by-cmake" >"$work/build.log" || {
    cat "$work/build.log"
    exit 1
}
"$work/by-cmake/consumer"

pc=$(dirname "$(find "$work/moved" -name hyperion.pc)")
# shellcheck disable=SC2046,SC2086 # flags are words on purpose
"$cc" $flags "$here/consumer/consumer.c" -o "$work/by-pkg-config" \
    $(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs --static hyperion)
"$work/by-pkg-config"

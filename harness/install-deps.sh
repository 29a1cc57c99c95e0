#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install-deps.sh [run|test] - installs the Debian or Ubuntu packages that are missing, if any.
#   run   what building and running a sweep needs (default)
#   test  that, and what the tests and sweeps that measure instructions need
# Installs nothing when nothing is missing. Where apt-get is absent it names what is missing and stops.
set -eu

# package | how its presence shows: cmd:NAME, pkg:PKG-CONFIG-MODULE, header:PATH or dir:PATH. A library that came
# from somewhere else than a package counts as well.
requirements='
run  gcc              cmd:cc
run  g++              cmd:c++
run  cmake            cmd:cmake
run  ninja-build      cmd:ninja
run  pkg-config       cmd:pkg-config
run  git              cmd:git
run  libbenchmark-dev header:benchmark/benchmark.h
run  libpapi-dev      pkg:papi
run  libhwloc-dev     pkg:hwloc
run  libyaml-dev      pkg:yaml-0.1
run  libjansson-dev   pkg:jansson
run  libxxhash-dev    header:xxhash.h
run  liburing-dev     header:liburing.h
run  gnuplot-nox      cmd:gnuplot
test libcmocka-dev    pkg:cmocka
test valgrind         cmd:valgrind
test libonnx-testdata dir:/usr/share/libonnx-testdata
'

purpose=${1:-run}
case $purpose in
run | test) ;;
*)
    echo "install-deps.sh: expected run or test, given '$purpose'" >&2
    exit 1
    ;;
esac

is_present() {
    case $1 in
    cmd:*) command -v "${1#cmd:}" >/dev/null 2>&1 ;;
    pkg:*) command -v pkg-config >/dev/null 2>&1 && pkg-config --exists "${1#pkg:}" ;;
    dir:*) [ -d "${1#dir:}" ] ;;
    header:*) command -v c++ >/dev/null 2>&1 &&
        echo "#include <${1#header:}>" | c++ -E -x c++ - >/dev/null 2>&1 ;;
    esac
}

find_missing() {
    echo "$requirements" | while read -r level package probe; do
        [ -n "$package" ] || continue
        [ "$level" = test ] && [ "$purpose" != test ] && continue
        is_present "$probe" || printf ' %s' "$package"
    done
}

missing=$(find_missing)
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "install-deps.sh: missing:$missing" >&2
    echo "install-deps.sh: apt-get is not here; install these (names as in Debian) and run again" >&2
    exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "install-deps.sh: missing:$missing" >&2
        echo "install-deps.sh: neither root nor sudo here; as root: apt-get install$missing" >&2
        exit 1
    fi
    as_root=sudo
fi
echo "install-deps.sh: installing$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # the lists are words on purpose
if ! { $as_root apt-get update &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "install-deps.sh: apt-get could not install:$missing" >&2
    exit 1
fi
missing=$(find_missing)
if [ -n "$missing" ]; then
    echo "install-deps.sh: still missing after installing:$missing" >&2
    exit 1
fi

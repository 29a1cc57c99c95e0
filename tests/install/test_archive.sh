#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_archive.sh SOURCE CMAKE LAUNCHER - the archive that cpack makes runs from any folder, with an empty
# environment, and (as root) beside nothing but the C library. LAUNCHER: a compiler cache, or empty.
set -eu
source=$1 cmake=$2 launcher=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $1"
    cat "$work/out" 2>/dev/null || true
    exit 1
}

"$cmake" -S "$source" --preset archive -B "$work/build" -DCMAKE_C_COMPILER_LAUNCHER="$launcher" \
    -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" >"$work/out" 2>&1 || fail 'configure'
"$cmake" --build "$work/build" >"$work/out" 2>&1 || fail 'build'
(cd "$work/build" && "$(dirname "$cmake")/cpack") >"$work/out" 2>&1 || fail 'cpack'

prefix="$work/another prefix"
mkdir "$prefix" "$work/empty" "$work/home"
tar xzf "$work"/build/hyperion-*.tar.gz -C "$prefix"
tree=$(echo "$prefix"/hyperion-*)
rm -rf "$work/build"

# Nothing but the C library comes from outside of the archive.
for program in hyperion hyperion-worker; do
    ldd "$tree/bin/$program" >"$work/out"
    ! grep -vE 'linux-vdso|ld-linux|/lib(c|m)\.so|not a dynamic' "$work/out" | grep -vF "$tree/" ||
        fail "$program needs libraries of this machine"
done

# sweep RUN HYPERION DIRECTORY: from doctor to plot; RUN is what stands before the command.
sweep() {
    run=$1 hyperion=$2 out=$3
    check() {
        words=$1
        shift
        given=0
        # shellcheck disable=SC2086 # RUN is words
        $run "$hyperion" "$@" >"$work/out" 2>&1 || given=$?
        [ $given = 0 ] || fail "hyperion $*: exit code $given"
        grep -qF -e "$words" "$work/out" || fail "hyperion $*: expected '$words'"
    }
    check 'without hwloc' machine
    check 'built without PAPI' machine
    check 'share/hyperion/scenarios/smoke-gemm.yaml' list scenarios
    check 'hash' plan smoke-gemm
    check '0 of ' run smoke-gemm --out "$out"
    check 'report.md' report "$out"
    check 'gnuplot is not in PATH' plot "$out"
}

cd "$work/empty"
sweep "env -i PATH=$work/empty" "$tree/bin/hyperion" "$work/home/run"
[ -s "$work/home/run/plots/gflops-over-block-size-blocking.gp" ] || fail 'no script to plot elsewhere'
if command -v gnuplot >/dev/null 2>&1; then
    (cd "$work/home/run/plots" && gnuplot gflops-over-block-size-blocking.gp) >"$work/out" 2>&1 ||
        fail 'the copied script does not plot'
    [ -s "$work/home/run/plots/gflops-over-block-size-blocking.svg" ] || fail 'no figure'
else
    echo 'skipped: plotting the copied scripts: no gnuplot here'
fi

# A root folder with the C library alone: no /proc, no /sys, no libstdc++.
bare="$work/bare"
mkdir -p "$bare/tmp" "$bare/opt"
cp -R "$tree" "$bare/opt/hyperion"
ldd "$bare/opt/hyperion/bin/hyperion" | grep -oE '/[^ ]*/(libc|libm|ld-linux)[^ ]*' | while read -r library; do
    mkdir -p "$bare$(dirname "$library")"
    cp -L "$library" "$bare$library"
done
if chroot "$bare" /opt/hyperion/bin/hyperion --help >/dev/null 2>&1; then
    sweep "env -i $(command -v chroot) $bare" /opt/hyperion/bin/hyperion /tmp/run
else
    echo 'skipped: the bare root folder: chroot needs root'
fi

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh [--all] - installs what is missing, builds, and runs the tests through ctest: the unit tests under
# the address and undefined-behaviour sanitizers, then everything in an optimised build.
#   --all  the long suites too (labels slow and perf), each unit test under sanitizers (label rates), and the
#          thread sanitizer
# Works from any folder; running it again is safe.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

all=no
exclude='slow|perf'
sanitized_exclude='slow|perf|rates'
case ${1:-} in
'') ;;
--all)
    all=yes
    exclude='^$'
    sanitized_exclude='^$'
    ;;
*)
    echo "run.sh: expected --all or nothing, given '$1'" >&2
    exit 1
    ;;
esac
status=$(mktemp)
trap 'rm -f "$status"' EXIT

# build PRESET: quiet unless it fails.
build() {
    mkdir -p build
    echo "run.sh: building (build/$1)"
    if ! { cmake --preset "$1" && cmake --build --preset "$1"; } >"build/$1.log" 2>&1; then
        tail -n 40 "build/$1.log"
        echo "run.sh: the build failed; the whole log is $root/build/$1.log"
        exit 1
    fi
}

# check PRESET CTEST-ARGUMENTS...: ctest, with the cases that skipped themselves and why before its summary.
check() {
    preset=$1
    shift
    { ctest --preset "$preset" -j "$(nproc)" "$@" && echo 0 >"$status" || echo $? >"$status"; } |
        awk -v logs="build/$preset/Testing/Temporary/LastTest.log" '
            /tests passed, [0-9]+ tests failed out of/ {
                command = "cat " logs "* 2>/dev/null";
                while ((command | getline line) > 0) {
                    if (line ~ /^skipped: /)
                        reasons[line]++;
                    if (line ~ /^ *[0-9]+ SKIPPED TEST\(S\)/)
                        count += line + 0;
                }
                print "skipped cases: " count + 0;
                for (reason in reasons)
                    print "  " reason;
                print "";
            }
            { print }'
    return "$(cat "$status")"
}

./harness/install-deps.sh test
build asan
check asan -L unit -LE "$sanitized_exclude"
if [ $all = yes ]; then
    build tsan
    check tsan -L unit -LE "$sanitized_exclude"
fi
build release
check release -LE "$exclude"

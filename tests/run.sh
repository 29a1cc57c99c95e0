#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh [--all] - installs what is missing, builds, and runs the tests through ctest.
#   --all  the long suites too (labels slow and perf)
# Works from any folder; running it again is safe.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

case ${1:-} in
'') exclude='slow|perf' ;;
--all) exclude='^$' ;;
*)
    echo "run.sh: expected --all or nothing, given '$1'" >&2
    exit 1
    ;;
esac

./harness/install-deps.sh test
cmake --preset release
cmake --build --preset release
ctest --preset release -LE "$exclude" -j "$(nproc)"

# SPDX-License-Identifier: Apache-2.0
# in_folder.sh - how each test here begins, read with `.` and the test's arguments: a folder of its own
# that goes with it, where it is now, with caches of its own, and a way to fail.
set -eu
hyperion=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
# Peaks are measured once and kept here.
export XDG_CACHE_HOME="$folder/cache"

# fail WHY: with what the program printed last.
fail() {
    echo "FAILED: $1"
    cat out err 2>/dev/null || true
    exit 1
}

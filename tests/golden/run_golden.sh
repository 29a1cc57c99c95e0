#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run_golden.sh [--update] PROGRAM - runs every case and compares with what it should print.
set -u
update=no
if [ "${1-}" = --update ]; then
    update=yes
    shift
fi
program=$(realpath "$1") || exit 1
cd "$(dirname "$0")/cases" || exit 1
actual=$(mktemp) || exit 1
trap 'rm -f "$actual"' EXIT
failed=0
count=0
for command in *.cmd; do
    expected=${command%.cmd}.out
    count=$((count + 1))
    # The words of the file are arguments: eval honours their quotes.
    eval "set -- $(cat "$command")"
    "$program" "$@" >"$actual" 2>&1 </dev/null
    echo "exit $?" >>"$actual"
    if [ "$update" = yes ]; then
        cp "$actual" "$expected"
    elif ! diff -u "$expected" "$actual"; then
        echo "golden: $command: not as expected"
        failed=$((failed + 1))
    fi
done
echo "golden: $count cases, $failed failed"
[ "$count" -gt 0 ] && [ "$failed" -eq 0 ]

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# loader_limits.sh PROGRAM [ROUNDS [FOLDER]] - what the progressive loader promises, measured: throughput
# against fio and against a plain read loop, runs against the recurrence, memory against the cap. Prints a
# row a figure and whether it is met; fails where one is not. PROGRAM is loader_bench. Measured in turns,
# medians of ROUNDS (7); the model file, 256 MiB, is made in FOLDER (/var/tmp), which must be on a disk.
set -eu
program=$1
rounds=${2:-7}
folder=$(mktemp -d "${3:-/var/tmp}/hyperion-loader-XXXXXX")
trap 'rm -rf "$folder"' EXIT
figures=$folder/figures
block=1048576
depth=8

# median KEY: of what was noted under it.
note() { echo "$@" >>"$figures"; }
median() {
    awk -v key="$1" '$1 == key { print $2 }' "$figures" | sort -n |
        awk '{ v[NR] = $1 } END { if (NR) print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}
failed=0
# judge TEXT VALUE OPERATOR LIMIT
judge() {
    met=$(awk -v v="$2" -v l="$4" "BEGIN { print (v $3 l) ? \"yes\" : \"NO\" }")
    printf '%-62s %10.3f  %2s %8s  %s\n' "$1" "$2" "$3" "$4" "$met"
    [ "$met" = yes ] || failed=1
}

printf '%-62s %10s  %11s  %s\n' figure value limit met
"$program" make "$folder/wide" 32 1448 8

# Reads past the page cache, and fio's of the same file, block and depth.
if command -v fio >/dev/null 2>&1; then
    engine=io_uring
    case $("$program" read "$folder/wide" direct auto $block $depth) in
    *"uring direct") ;;
    *"threads direct") engine=psync ;;
    *) engine= ;;
    esac
    if [ -n "$engine" ]; then
        for round in $(seq "$rounds"); do
            note fio "$(fio --name=read --filename="$folder/wide" --rw=read --bs=$block --iodepth=$depth --direct=1 \
                --ioengine=$engine --readonly --output-format=terse --terse-version=3 | cut -d';' -f7 | awk '{ print $1 * 1024 }')"
            note direct "$("$program" read "$folder/wide" direct auto $block $depth)"
        done
        judge "direct load / fio ($engine, $(median fio | awk '{ printf "%.2f GB/s", $1 / 1e9 }'))" \
            "$(awk -v a="$(median direct)" -v b="$(median fio)" 'BEGIN { print a / b }')" '>=' 0.95
    else
        echo "skipped: $folder refuses O_DIRECT"
    fi
else
    echo "skipped: fio is not installed"
fi

# Reads of what the page cache holds, checked, and a read loop that checks nothing.
cat "$folder/wide" >/dev/null
for round in $(seq "$rounds"); do
    note plain "$("$program" plain "$folder/wide")"
    note warm "$("$program" read "$folder/wide" buffered auto $block $depth)"
done
judge "warm load / read loop ($(median plain | awk '{ printf "%.2f GB/s", $1 / 1e9 }'))" \
    "$(awk -v a="$(median warm)" -v b="$(median plain)" 'BEGIN { print a / b }')" '>=' 0.8

# Streamed runs: time, and that of the recurrence fed with the same run's loads and computes.
for round in $(seq "$rounds"); do
    for window in 0 1 2 4 -4; do
        line=$("$program" stream "$folder/wide" 6 direct $window)
        note "ratio$window" "$(echo "$line" | awk '{ print $2 / $3 }')"
        note "sum$window" "$(echo "$line" | awk '{ print $2 / $4 }')"
        note "run$window" "$(echo "$line" | awk '{ print $2 }')"
    done
done
for window in 0 1 2 4; do
    judge "streamed run / recurrence, window $window ($(median "run$window") ms)" "$(median "ratio$window")" '<=' 1.10
done
judge 'window 0: run / sum of loads and computes' "$(median sum0)" '<=' 1.05
judge 'window 0: sum of loads and computes / run' "$(awk -v s="$(median sum0)" 'BEGIN { print 1 / s }')" '<=' 1.05
best=$(for window in 0 1 2 4; do median "run$window"; done | sort -n | head -n 1)
judge "adaptive window: run / best of all windows ($(median run-4) ms)" \
    "$(awk -v a="$(median run-4)" -v b="$best" 'BEGIN { print a / b }')" '<=' 1.10

# Memory of a model of 8 times its cap, above that of one of eight layers and a tenth of the size.
"$program" make "$folder/tenth" 8 916 8
cap=33554432
for mode in buffered direct dontneed; do
    small=$("$program" memory "$folder/tenth" 0 $mode | cut -d' ' -f1)
    line=$("$program" memory "$folder/wide" $cap $mode)
    judge "MiB above the small model's, cap 32 MiB, $mode" \
        "$(echo "$line" | awk -v s="$small" '{ print ($1 - s) / 1048576 }')" '<=' 34
    [ $mode = buffered ] || judge "MiB that the page cache grew, $mode" \
        "$(echo "$line" | awk '{ print ($3 - $2) / 1048576 }')" '<=' 0
done
exit $failed

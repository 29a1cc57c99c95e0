#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sgemm_peer.sh PROGRAM N [PAIRS [KERNEL]] - this library against OpenBLAS, in turns, one process a
# timing; prints medians, spread (quartiles) and the ratio. Fails below 0.85 of OpenBLAS.
# OpenBLAS runs as it would by default on this machine: its settings are taken out of the way.
set -eu
program=$1
n=$2
pairs=${3:-7}
kernel=${4:-gemm_f32_avx512_14x32}
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE || true
export OPENBLAS_NUM_THREADS=1

case $kernel in
*avx512*) grep -q avx512dq /proc/cpuinfo || { echo "skipped: this CPU has no AVX-512"; exit 77; } ;;
esac

timings=$(mktemp)
trap 'rm -f "$timings"' EXIT
for pair in $(seq "$pairs"); do
    ours=$("$program" "$kernel" "$n" 0.4)
    peer=$("$program" openblas "$n" 0.4)
    printf 'ours %s\npeer %s\n' "$ours" "$peer" >>"$timings"
done

sort -k1,1 -k2,2n "$timings" | awk -v n="$n" -v kernel="$kernel" '
    { value[$1, ++count[$1]] = $2; name[$1] = $3 }
    # Quantile q of a sorted side, between neighbours.
    function quantile(side, q,    place, low) {
        place = 1 + q * (count[side] - 1); low = int(place)
        return value[side, low] + (place - low) * (value[side, low + (low < count[side])] - value[side, low])
    }
    function report(side, label) {
        printf "%-28s N=%d  median %7.1f GFLOP/s  quartiles %.1f to %.1f  (%d processes)\n",
            label, n, quantile(side, 0.5), quantile(side, 0.25), quantile(side, 0.75), count[side]
    }
    END {
        report("ours", kernel)
        report("peer", "OpenBLAS (" name["peer"] ")")
        ratio = quantile("ours", 0.5) / quantile("peer", 0.5)
        printf "ratio of medians %.3f, 0.85 wanted\n", ratio
        exit ratio < 0.85
    }'

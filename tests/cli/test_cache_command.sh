#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_cache_command.sh HYPERION - `hyperion cache`: a sweep that counts and times nothing, in the caches of
# this machine and of another; what is known side by side; exit codes of the gate.
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/cli/in_folder.sh"
xeon=$root/tests/machines/xeon_cascade_lake

cat >small.yaml <<'YAML'
name: small
defaults: {measure: counts, samples: 1, counters: [page_faults]}
sweeps:
  - name: product
    workload: kernel
    axes: {op: gemm, m: 96, n: 96, k: 96, simd_level: scalar, block_size: [0, 64]}
YAML

# code EXPECTED ARGUMENTS...: runs the program, its output in `out` and `err`.
code() {
    expected=$1
    shift
    given=0
    "$hyperion" "$@" >out 2>err || given=$?
    [ "$given" = "$expected" ] || fail "hyperion $*: expected exit code $expected, given $given"
}

code 0 cache small.yaml --out first
grep -q 'Nothing here was measured on hardware' out || fail 'a reader could take this for measured'
grep -q 'not simulated, first in L1 of kernel/op:gemm.*: not among the counters of this sweep' out || fail 'no reason for what is unknown'
grep -q '"task":"pilot"\|"task":"time"' first/journal.jsonl && fail 'something was timed'
[ "$(grep -c '"task":"count"' first/journal.jsonl)" = 2 ] || fail 'expected one count a cell'
grep -q ',incomplete,\|,failed,' first/cells.csv && fail 'cells are not complete'

# A run that is there is read again; with nothing to compare, no gate passes.
code 4 cache first --gate
grep -q 'gate: nothing to judge by' out || fail 'the gate does not say why'
code 1 cache first --set m=3
code 1 cache first --out elsewhere
code 0 report first
grep -q 'counters of one iteration, nothing timed' first/report.md || fail 'the report does not say what a sample is'

# One document, in the caches of another machine.
code 0 cache small.yaml --json --set "geometry=$xeon" --out xeon
grep -q '"schema": "hyperion-cache-1"' out || fail 'no document'
grep -q '"name":"geometry.L3.size_bytes","value":28835840' xeon/journal.jsonl || fail 'not the caches of the other machine'
grep -q 'the geometry is that of another machine' out || fail 'counts of this machine would be shown for another'

# The gate that ships: formula and replay against every access of the kernels.
if [ -x "$(dirname "$hyperion")/hyperion-worker-sim" ]; then
    code 0 cache "$root/scenarios/ci-cache.yaml" --gate --out gate
    grep -q 'gate: passed' out || fail 'the gate passes without saying so'
fi

# Counts have nothing to compare.
code 1 compare --against . small.yaml
grep -q 'there is no time to compare' err || fail 'no reason why counts are not compared'

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_instructions_command.sh HYPERION - a sweep that measures instructions, with a real valgrind: the same
# counts to the instruction and to the miss, whatever the working folder, the environment and the program's
# path; and what is said where valgrind is missing.
. "$(dirname "$0")/in_folder.sh"

cat >small.yaml <<'YAML'
name: small
defaults: {measure: instructions, samples: 2}
sweeps:
  - name: product
    workload: kernel
    axes: {op: gemm, m: 24, n: 24, k: 24, simd_level: best}
  - name: model
    workload: model
    axes: {model: "builtin:transformer:seq=8,hidden=32,heads=2", simd_level: scalar}
YAML

# Without valgrind each cell fails, and says what to install; the verification has no need of it.
given=0
PATH="$folder" "$hyperion" run small.yaml --out missing >out 2>err || given=$?
[ "$given" = 2 ] || fail "without valgrind: expected exit code 2, given $given"
grep -q 'needs valgrind, which is not installed: `harness/install-deps.sh test`' err || fail 'the missing valgrind is not said'

if ! command -v valgrind >/dev/null 2>&1; then
    echo 'skipped: valgrind is not installed; harness/install-deps.sh test installs it'
    exit 77
fi

# All that an emulated sample counted: its values, in the order of the cells.
counts() { grep '"task":"emulate"' "$1/journal.jsonl" | sed 's/.*"cell":\([0-9]*\).*"values":\[\(.*\)\],"cpu".*/\1 \2/' | sort; }

"$hyperion" run small.yaml --out first >out 2>err || fail 'the first run failed'
counts first >first.counts
[ "$(wc -l <first.counts)" = 4 ] || fail 'expected four samples'
[ "$(uniq first.counts | wc -l)" = 2 ] || fail "two samples of a cell differ:
$(cat first.counts)"
grep -q '"name":"instructions","value":[1-9]' first.counts || fail 'no instructions'
grep -q '"name":"simulated.LL.misses","value":[1-9][^}]*"provenance":"sim"' first.counts ||
    grep -q 'callgrind cannot simulate the L' first.counts || fail 'no simulated misses'
grep -q '"task":"pilot"' first/journal.jsonl && fail 'a pilot was run'

# Elsewhere, with another environment and another path of the program.
far="$folder/a folder whose name is long enough to move the stack by more than one cache line if it could"
mkdir -p "$far/bin"
cp "$(dirname "$hyperion")/hyperion" "$(dirname "$hyperion")/hyperion-worker" "$far/bin"
(cd "$far" && LONG=$(printf '%3000s' x) bin/hyperion run ../small.yaml --out ../second >../out 2>../err) || fail 'the second run failed'
counts second >second.counts
cmp -s first.counts second.counts || fail "counts differ between folders and environments:
$(diff first.counts second.counts)"

# The report sets simulated misses beside predicted ones and says what counts are worth.
"$hyperion" report first >out 2>err || fail 'no report'
grep -q '| L1 simulated | L1 predicted | LL simulated | LL predicted |' first/report.md || fail 'no table of simulated misses'
grep -q 'no substitute for time' first/report.md || fail 'the report does not say what counts are worth'

# A stripped program is counted as well.
if command -v strip >/dev/null 2>&1; then
    strip "$far/bin/hyperion-worker"
    "$far/bin/hyperion" run small.yaml --out stripped >out 2>err || fail 'the stripped worker failed'
    counts stripped | cmp -s - first.counts || fail 'a stripped worker counts something else'
fi

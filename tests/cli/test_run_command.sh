#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_run_command.sh HYPERION - `hyperion run` with real workers: exit codes, messages and files.
. "$(dirname "$0")/in_folder.sh"

# expect CODE WORDS ARGUMENTS...: runs hyperion; the exit code is CODE, and WORDS stand on stderr.
expect() {
    code=$1
    words=$2
    shift 2
    given=0
    "$hyperion" "$@" >out 2>err || given=$?
    [ "$given" = "$code" ] || fail "hyperion $*: expected exit code $code, given $given"
    grep -qF -e "$words" err || fail "hyperion $*: expected on stderr: $words"
    [ ! -s out ] || fail "hyperion $*: wrote to stdout"
}

cat >small.yaml <<'YAML'
name: small
defaults: {samples: 2, repetitions: 2, min_time: 1ms, warmup: 0s, counters: [PAPI_TOT_INS, page_faults]}
sweeps:
  - name: levels
    workload: kernel
    axes: {op: gemm, m: 33, n: 34, k: 35, simd_level: [scalar, best]}
YAML

expect 0 'took 12 samples' run small.yaml --out run
for file in plan.json machine.json journal.jsonl cells.csv benchmark.json; do
    [ -s "run/$file" ] || fail "run/$file is missing"
done
[ -s run/topology.xml ] || grep -q 'built without hwloc: no topology.xml' run/machine.json || fail 'run/topology.xml is missing'
[ "$(wc -l <run/journal.jsonl)" = 12 ] || fail 'journal.jsonl has not 12 lines'
! grep -qiE '[^a-z](nan|inf)[^a-z]' run/cells.csv run/benchmark.json run/journal.jsonl || fail 'NaN or infinity in a file'
grep -q '"name":"page_faults","value":[0-9]' run/journal.jsonl || fail 'page_faults were not counted'

expect 1 '--resume completes it' run small.yaml --out run
expect 0 'took 0 samples' run small.yaml --out run --resume
expect 0 'took 0 samples' run run --resume
expect 1 'holds another plan' run small.yaml --set m=36 --out run --resume
expect 1 'holds another plan' run small.yaml --seed 5 --out run --resume

# The points of one run against each other: two samples tell nothing.
expect 0 'results: along' run small.yaml --set 'm=[33, 40]' --out along
given=0
"$hyperion" compare along --along m >out || given=$?
[ $given = 4 ] || fail "compare --along: expected exit code 4, given $given"
[ "$(grep -c '^From kernel/.*2 points: inconclusive' out)" = 2 ] || fail 'compare --along: not two lines of two points'
expect 1 "did you mean 'simd_level'?" compare along --along simd_levl
expect 1 'no two do' compare along --along n
expect 1 'one run with --along' compare run along --along m
expect 1 '--along is of one run' compare --against . along --along m
expect 1 '--resume needs the directory' run small.yaml --resume
expect 1 'expected an integer from 0' run small.yaml --seed 5x --out other
expect 1 'no cell' run small.yaml --cell nonsense --out other
expect 1 "did you mean '--resume'" run small.yaml --resum
expect 1 'missing.yaml' run missing.yaml --out other
[ ! -e other ] || fail 'a refused run made its directory'

# A bare name is one of the program's own scenarios, from any folder.
"$hyperion" plan smoke-gemm >out 2>err || fail 'plan smoke-gemm'
grep -q 'scenario smoke-gemm' out || fail 'plan smoke-gemm is another scenario'
"$hyperion" list scenarios >out 2>err && grep -q '/scenarios/smoke-gemm.yaml' out || fail 'list scenarios'

# A row of cells.csv says how to repeat its cell.
command=$(tail -n 1 run/cells.csv | grep -o "hyperion run 'run' --cell '[^']*'")
cell=$(echo "$command" | sed "s/.*--cell '//; s/'$//")
expect 0 'took 7 samples' run run --cell "$cell" --out again
expect 1 'fixed' run run --set m=3 --out other

# Without --out: results/<scenario>/<date>-<host>-<commit>.
expect 0 'results: results/small/' run small.yaml --cell "$cell"
ls results/small/*/cells.csv >/dev/null || fail 'no run under results/small'

# A cell that cannot finish costs its own line, not the other's.
cat >slow.yaml <<'YAML'
name: slow
defaults: {samples: 1, repetitions: 1, min_time: 1ms, warmup: 0s, counters: none}
sweeps:
  - name: fine
    workload: kernel
    axes: {op: gemm, m: 8, n: 8, k: 8}
  - name: late
    timeout: 1ms
    workload: kernel
    axes: {op: gemm, m: 512, n: 512, k: 512, simd_level: scalar}
YAML
expect 2 '1 of 2 cells failed' run slow.yaml --out slow
grep -q 'failed: .*m:512.*timeout of 0.001 s' err || fail 'no line for the failed cell'
grep -q ',ok,' slow/cells.csv || fail 'the good cell is not ok'

# A scenario may demand what the doctor judges; --force measures all the same and keeps the judgement.
cat >lab.yaml <<'YAML'
name: lab
require_profile: lab
defaults: {samples: 1, repetitions: 1, min_time: 1ms, warmup: 0s, counters: none}
sweeps:
  - name: one
    workload: kernel
    axes: {op: gemm, m: 8, n: 8, k: 8}
YAML
# The load may cross its limit meanwhile: then there is nothing to compare with.
judge() { "$hyperion" doctor --profile lab >/dev/null && echo 0 || echo $?; }
before=$(judge)
given=0
"$hyperion" run lab.yaml --out lab >out 2>err || given=$?
[ "$before" != "$(judge)" ] || [ "$given" = "$before" ] || fail "the doctor says $before, run says $given"
if [ $given = 4 ]; then
    grep -q 'lab requires profile lab, which this machine does not meet: .*--force' err || fail 'the refusal does not say why'
    [ ! -e lab ] || fail 'a refused run made its directory'
    expect 0 'results: lab' run lab.yaml --out lab --force
fi
grep -q '"profile": "lab"' lab/machine.json || fail "machine.json does not keep the doctor's judgement"

# SIGTERM (a background job of a shell ignores SIGINT): the exit code of an interruption, a journal, and --resume completes.
cat >long.yaml <<'YAML'
name: long
defaults: {samples: 40, repetitions: 2, min_time: 5ms, warmup: 0s, counters: none}
sweeps:
  - name: all
    workload: kernel
    axes: {op: gemm, m: 64, n: 64, k: 64}
YAML
"$hyperion" run long.yaml --out long >out 2>err &
job=$!
for _ in $(seq 500); do
    [ -s long/journal.jsonl ] && break
    sleep 0.02
done
kill -TERM $job
given=0
wait $job || given=$?
[ $given = 130 ] || fail "interrupted: expected exit code 130, given $given"
[ -s long/report.md ] || fail 'no report of the interrupted run'
grep -q 'interrupted after' err || fail 'the interruption is not said'
grep -q -e '--resume completes it' err || fail 'nothing about --resume'
expect 0 'resuming long' run long.yaml --out long --resume
[ "$(wc -l <long/journal.jsonl)" = 82 ] || fail 'the resumed journal has not 82 lines'

# Shards, and what they merge to.
expect 0 'of which shard 1/2' run small.yaml --out shard1 --shard 1/2
expect 0 'results: shard2' run small.yaml --out shard2 --shard 2/2
expect 1 'begun as shard 2/2' run small.yaml --out shard2 --shard 1/2 --resume
expect 1 'expected I/N' run small.yaml --out other --shard 3/2
expect 0 'merged 2 runs: 14 samples' merge shard2 shard1 --out merged
expect 0 'took 0 samples' run small.yaml --out merged --resume
expect 1 'merge needs --out' merge shard1 shard2
expect 1 'holds a run of this plan' merge shard1 --out merged

# A budget ends between rounds; too small for the first, the run tells nothing.
sed 's/samples: 40/samples: 5000/' long.yaml >endless.yaml
given=0
"$hyperion" run endless.yaml --out budget --budget 3s >budget.log 2>&1 || given=$?
grep -q ' [0-9]* of 5000 rounds are complete' budget.log || fail "no rounds in $(cat budget.log)"
# A machine may be too slow for one round in 3 s: then the run tells nothing either.
if grep -q ' 0 of 5000 rounds' budget.log; then
    [ "$given" = 4 ] || fail "no round is complete: expected exit code 4, given $given"
else
    [ "$given" = 0 ] || fail "rounds are complete: expected exit code 0, given $given"
fi
expect 4 '0 of 2 rounds are complete' run small.yaml --out tiny --budget 1ms
expect 1 '--budget: expected a time' run small.yaml --out other --budget soon

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_bench_command.sh HYPERION - `hyperion bench`: the cells as native Google Benchmarks.
. "$(dirname "$0")/in_folder.sh"

# expect CODE ARGUMENTS...: runs hyperion; the exit code is CODE.
expect() {
    code=$1
    shift
    given=0
    "$hyperion" "$@" >out 2>err || given=$?
    [ "$given" = "$code" ] || fail "hyperion $*: expected exit code $code, given $given"
}

cat >small.yaml <<'YAML'
name: small
sweeps:
  - name: levels
    workload: kernel
    axes: {op: gemm, m: [8, 9], n: 8, k: 8, simd_level: scalar}
  - name: free
    workload: kernel
    axes: {op: gemm, m: 10, n: 8, k: 8, binding: none}
YAML

expect 0 bench small.yaml -- --benchmark_list_tests
[ "$(wc -l <out)" = 3 ] || fail 'not every cell is listed'
grep -q '^kernel/op:gemm/simd_level:scalar/m:9/n:8/k:8/real_time$' out || fail 'a benchmark is not named by its cell'
expect 0 bench small.yaml --set n=5 -- --benchmark_list_tests
grep -q '/n:5/' out || fail '--set was not heard'

# A filter, counters as rates, and the mark by which such a file is told from a run.
expect 0 bench small.yaml -- --benchmark_filter=m:9 --benchmark_min_time=0.001 --benchmark_out=bench.json
[ "$(grep -c '"run_type": "iteration"' bench.json)" = 1 ] || fail 'the filter does not filter'
grep -q '"hyperion_bench": "1"' bench.json || fail 'the file is not marked'
grep -q '"flops": [1-9]' bench.json || fail 'no rate of operations'
expect 0 bench small.yaml -- --benchmark_min_time=0.001

# What cannot be opened is an errored benchmark and exit code 2; the others run.
cat >missing.yaml <<'YAML'
name: missing
sweeps:
  - name: none
    workload: model
    axes: {model: missing.onnx}
  - name: one
    workload: kernel
    axes: {op: gemm, m: 8, n: 8, k: 8}
YAML
expect 2 bench missing.yaml -- --benchmark_min_time=0.001
grep -q 'ERROR OCCURRED.*missing.onnx' out || fail 'the reason is not said'
grep -q 'gemm.* ns ' out || fail 'the other cell did not run'

expect 1 bench small.yaml -- --benchmark_fitler=m
grep -q 'unrecognized command-line flag' err || fail 'an unknown option is not refused'
expect 1 bench small.yaml --benchmark_filter=m
expect 1 bench missing-scenario.yaml
expect 1 run small.yaml -- --benchmark_filter=m
grep -q "unknown option '--'" err || fail 'run takes --'

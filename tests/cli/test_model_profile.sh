#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_model_profile.sh HYPERION - `hyperion model profile`: table, JSON and trace; what it refuses.
. "$(dirname "$0")/in_folder.sh"

# refuses PATTERN ARGUMENT...: exit code 1, and the pattern in the message.
refuses() {
    pattern=$1
    shift
    code=0
    "$hyperion" model profile "$@" >out 2>err || code=$?
    [ "$code" = 1 ] || fail "exit code $code of model profile $*"
    grep -q -e "$pattern" err || fail "no '$pattern' from model profile $*"
    [ ! -s out ] || fail "output of model profile $*"
}

model=builtin:mlp:hidden=32,input=32
"$hyperion" model profile $model --runs 3 --threads 2 --level scalar --trace trace.json >out 2>err || fail 'model profile'
grep -q '^time: .* median of 3 ' out || fail 'no time of the runs'
grep -q '^ *0  *[^ ]*  *gemm ' out || fail 'no line for the first layer'
grep -q '^{$' trace.json && grep -q '"traceEvents": \[' trace.json || fail 'no trace'
[ "$(grep -c '"cat": "run"' trace.json)" = 3 ] || fail 'not three runs in the trace'
"$hyperion" model profile $model --runs 1 --top 1 >out 2>err || fail 'model profile --top'
[ "$(grep -c '^ *[0-9][0-9]*  ' out)" = 1 ] || fail '--top 1 prints more than one layer'
"$hyperion" model profile $model --json >out 2>err || fail 'model profile --json'
grep -q '"simd_level": ' out && grep -q '"intensity": ' out || fail 'no JSON document'

refuses 'nothing.onnx' nothing.onnx
refuses '--runs: expected a whole number from 1 to 100000; given .0' $model --runs 0
refuses '--threads: expected' $model --threads many
refuses "unknown level 'avx3'\|avx3" $model --level avx3
refuses 'missing/trace.json' $model --trace missing/trace.json

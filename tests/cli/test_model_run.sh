#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_model_run.sh HYPERION - `hyperion model run`: inputs from files or seeds, outputs to files.
. "$(dirname "$0")/in_folder.sh"

# expect CODE ARGUMENTS...: runs hyperion; the exit code is CODE.
expect() {
    code=$1
    shift
    given=0
    "$hyperion" "$@" >out 2>err || given=$?
    [ "$given" = "$code" ] || fail "hyperion $*: expected exit code $code, given $given"
}

# refuse TEXT ARGUMENTS...: exit code 1, TEXT among the diagnostics, nothing on standard output.
refuse() {
    text=$1
    shift
    expect 1 "$@"
    grep -qF -- "$text" err || fail "hyperion $*: the message does not say '$text'"
    [ ! -s out ] || fail "hyperion $*: data in spite of failure"
}

model=builtin:mlp:input=8,hidden=16,output=4

# One seed gives the same bytes, another others; threads and repeats change nothing.
expect 0 model run $model --output a
expect 0 model run $model --output b --threads 2 --repeat 3
grep -q 'later ones' out || fail 'passes after the first are not told'
expect 0 model run $model --output c --seed 2
[ "$(wc -c <a/head.bin)" = 16 ] || fail 'the output is not 4 numbers'
cmp -s a/head.bin b/head.bin || fail 'threads or repeats change the output'
! cmp -s a/head.bin c/head.bin || fail 'the seed changes nothing'

# An input from a file; JSON says where it is from and what came of it.
head -c 32 /dev/zero >zeros.raw
expect 0 model run $model --input x=zeros.raw --output d --json --level scalar
grep -q '"from": "zeros.raw"' out || fail 'the file of the input is not named'
grep -q '"file": "d/head.bin"' out || fail 'the file of the output is not named'
grep -q '"level": "scalar"' out || fail 'the level is not said'
grep -q '"median": null' out || fail 'a median of no pass'
! cmp -s a/head.bin d/head.bin || fail 'the input was not read'

refuse "zeros.raw has 32 bytes, expected 64" model run builtin:mlp:input=16 --input x=zeros.raw
refuse "NAME of 'x'" model run $model --input other=zeros.raw
refuse "NAME of 'x'" model run $model --input x
refuse "'x' is given twice" model run $model --input x=zeros.raw --input x=zeros.raw
refuse "missing.raw" model run $model --input x=missing.raw
refuse "--threads" model run $model --threads 2000
refuse "--repeat" model run $model --repeat 0
refuse "--seed" model run $model --seed x
refuse "avx9" model run $model --level avx9
refuse "no-such-model" model run no-such-model.onnx
touch file
refuse "file" model run $model --output file/inside

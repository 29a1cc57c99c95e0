#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_model_load.sh HYPERION - sizes that a model file leaves open are given on the command line.
. "$(dirname "$0")/in_folder.sh"

# refuse TEXT ARGUMENTS...: exit code 1, TEXT among the diagnostics, nothing on standard output.
refuse() {
    text=$1
    shift
    given=0
    "$hyperion" "$@" >out 2>err || given=$?
    [ "$given" = 1 ] || fail "hyperion $*: expected exit code 1, given $given"
    grep -qF -- "$text" err || fail "hyperion $*: the message does not say '$text'"
    [ ! -s out ] || fail "hyperion $*: data in spite of failure"
}

# expect TEXT ARGUMENTS...: it works, and says TEXT.
expect() {
    text=$1
    shift
    "$hyperion" "$@" >out 2>err || fail "hyperion $*"
    grep -qF -- "$text" out || fail "hyperion $*: expected '$text'"
}

# y = Relu(x), x of n x 4 f32, opset 12.
printf '\010\010\072\072\012\014\012\001\170\022\001\171\042\004\122\145\154\165' >model.onnx
printf '\132\024\012\001\170\022\017\012\015\010\001\022\011\012\003\022\001\156\012\002\010\004' >>model.onnx
printf '\142\024\012\001\171\022\017\012\015\010\001\022\011\012\003\022\001\156\012\002\010\004' >>model.onnx
printf '\102\002\020\014' >>model.onnx

refuse "the size of dimension 0 ('n') is not in the file" model info model.onnx
expect 'x: 3 x 4 f32' model info --dim n=3 model.onnx
expect 'x: 2 x 4 f32' model info --dim 2 model.onnx
expect 'x: 5 x 4 f32' model info --shape x=5x4 model.onnx
expect 'output y:' model run --dim n=3 --no-rewriting model.onnx
"$hyperion" model export --dim n=3 model.onnx fixed.onnx || fail 'export of a model with a size given'
expect 'x: 3 x 4 f32' model info fixed.onnx
"$hyperion" model profile --dim n=3 --runs 2 model.onnx >out || fail 'profile of a model with a size given'
refuse 'no input has a dimension' model info --dim m=3 model.onnx
refuse 'has rank 2, given 1' model info --shape x=5 model.onnx
refuse 'dimension 1 of input' model info --shape x=5x5 model.onnx
for wrong in n= n=-1 n=x =3 2x 0; do
    refuse 'expected NAME=N or N' model info --dim $wrong model.onnx
done
for wrong in x x=3x x=3xx4 x=-1 =3 x=1x1x1x1x1x1x1x1x1; do
    refuse 'expected INPUT=NxN...' model info --shape $wrong model.onnx
done
echo 'ok'

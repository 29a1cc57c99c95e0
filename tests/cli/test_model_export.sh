#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_model_export.sh HYPERION - `hyperion model export`: what is written gives the same outputs to
# the bit, and the checker of ONNX accepts it (Debian's python3-onnx; that part is left out without).
shared=$(cd "$(dirname "$0")/../.." && pwd)/../shared/models
. "$(dirname "$0")/in_folder.sh"

python=
for candidate in python3 /usr/bin/python3; do
    if "$candidate" -c 'import onnx.checker' 2>/dev/null; then
        python=$candidate
    fi
done
[ -n "$python" ] || echo 'not checked by ONNX itself: no python3 with the module onnx (python3-onnx)'

# round_trip MODEL: exported and read again, with and without several threads.
round_trip() {
    "$hyperion" model export "$1" out.onnx || fail "$1 is not exported"
    "$hyperion" model run "$1" --output before >/dev/null
    "$hyperion" model run out.onnx --output after --threads 2 >/dev/null || fail "$1 is not read again"
    diff -r before after || fail "$1 gives other outputs when it is read again"
    [ -z "$python" ] || "$python" -c 'import onnx; onnx.checker.check_model("out.onnx", full_check=True)' ||
        fail "$1 is not what the checker of ONNX accepts"
    rm -r before after
}

# Every built-in model, made small where it can be.
for name in $("$hyperion" list models | awk 'NR > 1 { print $1 }'); do
    case $name in
    builtin:bert | builtin:minilm) parameters=seq=5,hidden=24,heads=3,layers=2,inner=32,vocab=50,positions=8 ;;
    builtin:llama) parameters=seq=5,hidden=24,heads=4,kv_heads=2,layers=2,inner=32,vocab=50,past=3,cache=1 ;;
    builtin:gpt2) parameters=seq=5,hidden=24,heads=3,layers=2,vocab=50,positions=8 ;;
    builtin:transformer) parameters=seq=5,hidden=24,heads=3 ;;
    builtin:resnet* | builtin:vgg16) parameters=image=32,width=4,classes=10 ;;
    builtin:mobilenetv2 | builtin:inceptionv3) parameters=image=75,width=10,classes=10 ;;
    builtin:densenet121) parameters=image=32,growth=4,classes=10 ;;
    builtin:shufflenet) parameters=image=32,width=12,last=16,classes=10 ;;
    builtin:squeezenet) parameters=image=32,classes=10 ;;
    builtin:unet) parameters=image=188,width=4 ;;
    builtin:cnn) parameters=image=8,channels=4 ;;
    builtin:mlp) parameters=input=8,hidden=16,output=4 ;;
    *) parameters=seed=2 ;;
    esac
    round_trip "$name:$parameters"
done

# Trained models, where they are.
[ -d "$shared" ] || echo "not tried on trained models: no $shared"
for file in "$shared"/*.onnx; do
    [ ! -e "$file" ] || round_trip "$file"
done

[ ! -e out.onnx.part ] || fail 'a part of a file is left over'
! "$hyperion" model export builtin:mlp missing/out.onnx 2>err || fail 'a missing folder is written to'
grep -q 'missing/out.onnx' err || fail 'the file that cannot be written is not named'
! "$hyperion" model export no-such.onnx out.onnx 2>err || fail 'a missing model is exported'

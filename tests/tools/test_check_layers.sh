#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_check_layers.sh - a breach of each kind is found, and a clean tree passes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/core/include/hyperion" "$work/core/memory" "$work/core/loader" "$work/core/model" "$work/kernels/gemm" "$work/harness/run"
for header in core/include/hyperion/types.h core/include/hyperion/model.h core/loader/loader.h core/model/graph.h kernels/kernel.h harness/run/runner.h; do
    : >"$work/$header"
done

# expect VERDICT FILE LINE
expect() {
    echo "$3" >"$work/$2"
    if "$here/check_layers" "$work" >"$work/out"; then verdict=clean; else verdict=breach; fi
    rm "$work/$2"
    [ "$verdict" = "$1" ] || {
        echo "$2: $3: expected $1, got $verdict"
        cat "$work/out"
        exit 1
    }
}
expect clean core/memory/a.c '#include "model/graph.h"'
expect breach core/memory/a.c '#include "loader/loader.h"'
expect breach core/memory/a.c '#include <unistd.h>'
expect breach core/model/a.c '#include "run/runner.h"'
expect clean kernels/gemm/a.c '#include "hyperion/types.h"'
expect breach kernels/gemm/a.c '#include "hyperion/model.h"'
expect breach kernels/gemm/a.c '#include "model/graph.h"'
expect clean harness/run/a.c '#include "kernel.h"'
expect clean harness/run/a.c '#include <unistd.h>'
expect breach harness/run/a.c '#include "model/graph.h"'

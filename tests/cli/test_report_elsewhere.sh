#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_report_elsewhere.sh HYPERION - report and plot of copied run directories where neither the
# scenario nor the folder of the run nor its machine is at hand, of one machine and of two.
. "$(dirname "$0")/in_folder.sh"

mkdir here
cat >here/small.yaml <<'YAML'
name: small
defaults: {samples: 2, repetitions: 1, min_time: 1ms, warmup: 0s, counters: none}
sweeps:
  - name: blocks
    workload: kernel
    axes: {op: gemm, m: 33, n: 34, k: 35, block_size: [32, 64]}
  - name: models
    workload: model
    axes: {model: ["builtin:mlp:width=8,depth=2", here/absent.onnx]}
YAML
(cd here && "$hyperion" run small.yaml --out run >../out 2>../err) || true # the absent model fails
[ -s here/run/cells.csv ] || fail 'no run to copy'

# Copies that know nothing but themselves; the second as if from another machine.
mkdir elsewhere
for copy in first second; do
    mkdir "elsewhere/$copy"
    for file in plan.json machine.json journal.jsonl; do
        sed "s|$folder|/nonexistent|g" "here/run/$file" >"elsewhere/$copy/$file"
    done
done
sed -i 's/"key": *"[0-9a-f]*"/"key": "00000000deadbeef"/' elsewhere/second/machine.json
grep -q deadbeef elsewhere/second/machine.json || fail 'machine.json has no key'
rm -r here "$XDG_CACHE_HOME"
unset XDG_CACHE_HOME
export HOME=/nonexistent

cd elsewhere
"$hyperion" report first >../out 2>../err || fail 'report of a copied run'
grep -q '^| 32 | ' first/report.md || fail 'report.md has no table'
[ -s first/plots/gflops-over-block-size-blocks.gp ] || fail 'no figure of a copied run'

"$hyperion" report first second >../out 2>../err || fail 'report of two copied runs'
grep -q '^| block_size | M1 | M2 |$' first/report.md || fail 'no column a machine'
grep -q '00000000deadbeef' first/report.md || fail 'the machine key is not in the report'
figure=first/plots/gflops-over-block-size-blocks-machines
[ -s $figure.dat ] && grep -q '^panel_count = 2$' $figure.gp || fail 'no figure by machine'

rm -r first/plots
"$hyperion" plot first second >../out 2>../err || fail 'plot of two copied runs'
grep -q "^$figure.\(png\|gp\)$" ../out || fail 'plot does not name the figure by machine'
! command -v gnuplot >/dev/null || [ -s $figure.png ] || fail 'the figure is not drawn'
[ ! -e second/plots ] || fail 'plot wrote into the second run'

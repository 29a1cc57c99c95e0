#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# quickstart.sh - installs what is missing, builds, runs scenarios/quickstart.yaml, writes the report and
# the plots, and says where they are. Works from any folder; running it again is safe.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

./harness/install-deps.sh run
echo "quickstart: building (build/measure)" >&2
log=build/measure.log
mkdir -p build
if ! { cmake --preset measure && cmake --build --preset measure; } >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    echo "quickstart: the build failed; the whole log is $root/$log" >&2
    exit 1
fi

hyperion=$root/build/measure/bin/hyperion
out=$root/results/quickstart/$(date -u +%Y%m%dT%H%M%SZ)
# Once a machine: the roofs of the figure "roofline".
"$hyperion" machine --measure >/dev/null
# Exit code 2: some cells failed, a SIMD level that this CPU lacks for instance; the report says which.
"$hyperion" run scenarios/quickstart.yaml --out "$out" || [ $? -eq 2 ]
"$hyperion" report "$out" >/dev/null
"$hyperion" plot "$out" >/dev/null

echo
echo "report:  $out/report.md"
echo "plots:   $out/plots/"
echo "data:    $out/cells.csv  $out/benchmark.json  $out/journal.jsonl"
echo "machine: $hyperion machine"

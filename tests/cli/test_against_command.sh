#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_against_command.sh HYPERION - `hyperion compare --against` in a small git repository whose revisions
# "build" a worker that is this one, one of another protocol, or nothing.
. "$(dirname "$0")/in_folder.sh"
worker=$(dirname "$hyperion")/hyperion-worker
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
for tool in git cmake ninja; do
    command -v $tool >/dev/null || { echo "skipped: no $tool"; exit 77; }
done

# expect CODES WORDS ARGUMENTS...: runs hyperion; its exit code is one of CODES ("0|3"), WORDS stand on stderr.
expect() {
    codes=$1
    words=$2
    shift 2
    given=0
    "$hyperion" "$@" >out 2>err || given=$?
    case "|$codes|" in *"|$given|"*) ;; *) fail "hyperion $*: expected exit code $codes, given $given" ;; esac
    grep -qF -e "$words" err || fail "hyperion $*: expected on stderr: $words"
}

# revision NAME: commits what is here under a tag.
revision() {
    git add CMakeLists.txt hyperion-worker
    git -c user.name=test -c user.email=test@example.org commit -qm "$1"
    git tag "$1"
}

git init -q .
cat >CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(small NONE)
add_custom_target(worker ALL COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_SOURCE_DIR}/hyperion-worker ${CMAKE_BINARY_DIR}/bin/hyperion-worker)
CMAKE
printf '#!/bin/sh\nexec "%s"\n' "$worker" >hyperion-worker
chmod +x hyperion-worker
revision good
printf '#!/bin/sh\necho "{\\"protocol\\":9}" >&3\n' >hyperion-worker
revision other
echo 'message(FATAL_ERROR "cannot be configured")' >>CMakeLists.txt
revision broken

cat >small.yaml <<'YAML'
name: small
defaults: {samples: 2, repetitions: 1, min_time: 1ms, warmup: 0s, counters: none}
sweeps:
  - name: levels
    workload: kernel
    axes: {op: gemm, m: 33, n: 34, k: 35, simd_level: [scalar, best]}
YAML

# The machine is busy and shared: any verdict on times will do, but there is one.
expect '0|3|4' 'building' compare --against good small.yaml --samples 8 --out run
grep -q '2 cells' out || fail 'no comparison was printed'
for side in base new; do
    [ "$(grep -c '"task":"time"' run/$side/journal.jsonl)" = 16 ] || fail "run/$side has not 8 samples of 2 cells"
    [ -s run/$side/cells.csv ] || fail "run/$side/cells.csv is missing"
done
grep -q "\"commit\": \"$(git rev-parse good)\"" run/base/machine.json || fail 'BASE is not recorded with its commit'
grep -q '"revision": "good"' run/against.json || fail 'against.json does not name the revision'
[ -x build/against/"$(git rev-parse good)"-*/build/bin/hyperion-worker ] || fail 'the build is not kept'
expect '0|3|4' 'checking the build of' compare --against good small.yaml --set m=40 --samples 8 --out again
expect 1 'holds a run of this plan' compare --against good small.yaml --samples 8 --out run

expect 1 'protocol version 9, this program speaks' compare --against other small.yaml --out other
[ ! -e other/base ] || fail 'a refused comparison made its directories'
expect 1 'cmake configure failed' compare --against broken small.yaml --out other
grep -q 'cannot be configured' "$(sed -n 's/.*its log: //p' err)" || fail 'the log that is named does not tell'
expect 1 "git knows no revision 'nowhere'" compare --against nowhere small.yaml
expect 1 'one scenario with --against' compare --against good small.yaml small.yaml
expect 1 '--samples needs --against' compare run/base run/new --samples 8
expect 1 'expected a whole number from 8 to' compare --against good small.yaml --samples 7
expect 1 'is not what this program was built from' compare --against good small.yaml --false-alarms 2 --out aa

expect '0' 'comparison 2 of 2' compare --against . small.yaml --false-alarms 2 --samples 8 --out aa
grep -q 'of 2' out || fail 'the count of false alarms is not printed'
[ -s aa/0001/new/journal.jsonl ] || fail 'the second comparison is not kept'
grep -q '"comparisons": 2' aa/against.json || fail 'against.json has no count'
grep -rq '2' results/baseline/*/false-alarms.json || fail 'the count is not recorded for the machine'

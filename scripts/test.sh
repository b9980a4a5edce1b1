#!/usr/bin/env bash
# All tests, as people and the build server run them: `make test`. A part is a
# name and a command; every part runs, a table of wall times closes the run,
# and the run fails when a part failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=scripts/parts.sh
source scripts/parts.sh
export CGO_ENABLED=0
export SYNCLINE_BIN="$PWD/bin/syncline"

module=$(go list -m)
pure=(vclock conflict conflict/merge witness node/wire node/strictjson) # no goroutines, nothing for -race to see
simulation=(node/nodetest/world)                         # one goroutine a world, heavy
elsewhere=(scripts/tidy scripts/e2e)                     # run by their own parts

# The static checks have vetted all of it, tests too.
plain() { go test -vet=off -count=1 -shuffle=on -timeout 8m "$@"; }

# concurrent tests every package that no other part names, with -race.
concurrent() {
  local named rest
  named=$(printf "$module/%s\n" "${pure[@]}" "${simulation[@]}" "${elsewhere[@]}")
  mapfile -t rest < <(go list ./... | grep --invert-match --line-regexp --fixed-strings "$named")
  CGO_ENABLED=1 go test -race -vet=off -count=1 -shuffle=on -timeout 8m "${rest[@]}"
}

# compiled makes what concurrent needs, so that no compiler runs beside a test
# that looks at the clock.
compiled() { CGO_ENABLED=1 go build -race ./...; }

# planted runs the suite of planted bugs; a run that found no test is no proof.
planted() {
  local log
  log=$(mktemp)
  plain -tags planted -run '^TestPlanted' "${simulation[@]/#/./}" ./node/quorum ./node ./conflict | tee "$log"
  local result=${PIPESTATUS[0]}
  if grep --quiet 'no tests to run\|no test files' "$log"; then result=1; fi
  rm -f "$log"
  return "$result"
}

part "set-up" scripts/setup.sh
part "set-up: modules" go mod download
part "set-up: the dashboard" scripts/web.sh
part "static checks" scripts/check.sh
part "binary, CGO_ENABLED=0" make --no-print-directory build
part "laws" plain "${pure[@]/#/./}"
part "simulation" plain "${simulation[@]/#/./}" -world.seeds=300 -world.for=40s
part "vote: the model" plain -run '^Test(Explore|Storm|FailureRows)' ./node/quorum
part "planted bugs" planted
part "compile, -race" compiled
part "packages with goroutines, -race" concurrent
part "real processes" plain ./scripts/e2e
part "browser" npm --prefix web/app run --silent test
parts_table "make test"

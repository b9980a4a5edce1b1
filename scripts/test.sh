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

# named runs tests by their names; a run that found none is no proof.
named() {
  local log
  log=$(mktemp)
  plain "$@" | tee "$log"
  local result=${PIPESTATUS[0]}
  if grep --quiet 'no tests to run\|no test files' "$log"; then result=1; fi
  rm -f "$log"
  return "$result"
}

# laws tests what is pure, and a store's random sequences against the model:
# one goroutine asks, and what -race costs there is nothing but opening files.
sequences='^TestStore$/.*/^random_sequences$'
laws() { plain "${pure[@]/#/./}" && named -run "$sequences" ./node/sqlite; }

# concurrent tests every package that no other part names, with -race.
concurrent() {
  local apart rest
  apart=$(printf "$module/%s\n" "${pure[@]}" "${simulation[@]}" "${elsewhere[@]}")
  mapfile -t rest < <(go list ./... | grep --invert-match --line-regexp --fixed-strings "$apart")
  CGO_ENABLED=1 go test -race -vet=off -count=1 -shuffle=on -timeout 8m -skip "$sequences" "${rest[@]}"
}

# compiled makes what concurrent needs, so that no compiler runs beside a test
# that looks at the clock.
compiled() { CGO_ENABLED=1 go build -race ./...; }

# planted runs the suite of planted bugs.
planted() { named -tags planted -run '^TestPlanted' "${simulation[@]/#/./}" ./node/quorum ./node ./conflict; }

part "set-up" scripts/setup.sh
part "set-up: modules" go mod download
part "set-up: the dashboard" scripts/web.sh
part "static checks" scripts/check.sh
part "binary, CGO_ENABLED=0" make --no-print-directory build
part "laws" laws
part "simulation" plain "${simulation[@]/#/./}" -world.seeds=300 -world.for=40s
part "vote: the model" plain -run '^Test(Explore|Storm|FailureRows)' ./node/quorum
part "planted bugs" planted
part "compile, -race" compiled
part "packages with goroutines, -race" concurrent
part "real processes" plain ./scripts/e2e
part "browser" npm --prefix web/app run --silent test
parts_table "make test"

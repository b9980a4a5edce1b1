#!/usr/bin/env bash
# The static checks: format, vet, staticcheck, the rules of the house, go.mod,
# shell scripts. Runs all of them, prints the wall time of each, and fails when
# one failed. Usage: scripts/check.sh
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=scripts/parts.sh
source scripts/parts.sh
export CGO_ENABLED=0 # one plain compile for everything, as the binary is built

tool() { go tool -modfile=tools/go.mod "$@"; }

format() {
  local files
  files=$(tool gofumpt -l .) || return 1
  [ -z "$files" ] && return 0
  printf 'not formatted (make fmt):\n%s\n' "$files"
  return 1
}

modules() {
  local diff
  diff=$(go mod tidy -diff 2>&1) && return 0
  head -n 40 <<<"$diff" # the first lines say enough; the rest can be long
  echo "go.mod or go.sum is not tidy: go mod tidy"
  return 1
}

scripts() {
  local files
  mapfile -t files < <(find scripts bench .ci -type f \( -name '*.sh' -o -path '.ci/run' \) | sort)
  shellcheck "${files[@]}"
}

# types are the dashboard's, of its sources and of its tests.
types() { scripts/web.sh && npm --prefix web/app run --silent check; }

part "gofumpt" format
part "go vet" go vet ./...
part "go vet, planted bugs" go vet -tags planted ./node/... ./conflict/...
part "staticcheck" tool staticcheck ./...
part "rules of the house" go test -count=1 ./scripts/tidy
part "go mod tidy" modules
part "shellcheck (set-up)" scripts/setup.sh
part "shellcheck" scripts
part "tsc, vite" types
parts_table "scripts/check.sh"

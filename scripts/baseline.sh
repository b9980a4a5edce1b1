#!/usr/bin/env bash
# Builds the binary of another commit, from its files alone: baseline.sh COMMIT OUT.
set -euo pipefail
cd "$(dirname "$0")/.."
commit=$1 out=$PWD/$2

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
git archive "$commit" | tar -x -C "$dir"
(cd "$dir" && CGO_ENABLED=0 go build -o "$out" ./cmd/syncline)

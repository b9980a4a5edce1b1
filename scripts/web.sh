#!/usr/bin/env bash
# Builds the dashboard from web/app into web/dist, where the binary embeds it,
# unless that is done already. With --if-node it is content without Node: the
# program then says on /ui/ how to build the page.
set -euo pipefail
cd "$(dirname "$0")/../web/app"

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  if [ "${1-}" = --if-node ]; then
    echo "Without Node and npm the dashboard is not built; /ui/ will say how." >&2
    exit 0
  fi
  echo "The dashboard is built with Node and npm. On Debian: sudo apt-get install --yes nodejs npm" >&2
  exit 1
fi

# The lock file is copied into node_modules once npm is done: what differs from
# it, or was cut short, is installed again.
if ! cmp --silent package-lock.json node_modules/.installed; then
  npm ci --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/.installed
fi

# A build is as new as what it was made of.
if [ -f ../dist/index.html ] && [ -z "$(find . -path ./node_modules -prune -o -type f -newer ../dist/index.html -print -quit)" ]; then
  exit 0
fi
rm -rf ../dist/assets ../dist/index.html
npm run --silent build

#!/usr/bin/env bash
# Installs the Debian packages that the checks and tests need, where they are
# missing. As another user than root it prints the one line to run, and stops.
set -euo pipefail

packages=()
command -v shellcheck >/dev/null || packages+=(shellcheck)
command -v chromium >/dev/null || packages+=(chromium fonts-dejavu-core) # the tests of the dashboard
command -v gcc >/dev/null || packages+=(gcc libc6-dev) # the race detector links with it
if [ "$(id -u)" -eq 0 ]; then # only root can make network namespaces; without, those tests are skipped
  command -v ip >/dev/null || packages+=(iproute2)
  command -v nft >/dev/null || packages+=(nftables)
fi

[ ${#packages[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "These tools are missing. On Debian, run: sudo apt-get install --yes ${packages[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
install=(apt-get install --yes --no-install-recommends "${packages[@]}")
# A fresh machine has no package lists yet.
"${install[@]}" || { apt-get update && "${install[@]}"; }

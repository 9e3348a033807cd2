#!/bin/sh
# Makes sure that the browser tests find a Chromium: the system's, else Debian's package, else Playwright's own.
# Usage: tests/install_browser.sh PYTHON
set -eu
python=$1

for name in chromium chromium-browser google-chrome google-chrome-stable; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
[ -d "/Applications/Google Chrome.app" ] && exit 0
"$python" -c 'import os, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    sys.exit(not os.path.exists(p.chromium.executable_path))' >/dev/null 2>&1 && exit 0

if command -v apt-get >/dev/null 2>&1; then
  as_root=none
  if [ "$(id -u)" = 0 ]; then as_root=""; elif sudo -n true >/dev/null 2>&1; then as_root="sudo -n"; fi
  if [ "$as_root" != none ]; then
    echo "Installing Chromium for the browser tests"
    export DEBIAN_FRONTEND=noninteractive
    $as_root apt-get update -qq >/dev/null 2>&1 || true
    for package in chromium chromium-browser; do
      $as_root apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 && command -v chromium >/dev/null 2>&1 && exit 0
    done
  fi
fi
echo "Fetching Playwright's own Chromium for the browser tests"
"$python" -m playwright install chromium >/dev/null 2>&1 && exit 0
echo "No Chromium was found or could be installed. Install chromium or google-chrome for the browser tests." >&2
exit 1

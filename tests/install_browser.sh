#!/bin/sh
# Makes sure that the browser tests find a Chromium. One without windows costs each of them a second less, so it is
# installed where Debian's packages have it; any other will do: the system's, Debian's, else Playwright's own.
# Usage: tests/install_browser.sh PYTHON
set -eu
python=$1

has_any() {
  "$python" -c 'from playwright.sync_api import sync_playwright
from tests.support.browser.chromium import find_chromium
with sync_playwright() as playwright:
    find_chromium(playwright)' >/dev/null 2>&1
}

apt() {
  $as_root apt-get -qq -o Acquire::Retries=0 -o Acquire::http::Timeout=10 "$@" >/dev/null 2>&1
}

[ -n "${PAWSORT_CHROMIUM:-}" ] && exit 0
command -v chromium-headless-shell >/dev/null 2>&1 && exit 0
as_root=none
if command -v apt-get >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ]; then as_root=""; elif sudo -n true >/dev/null 2>&1; then as_root="sudo -n"; fi
fi
if [ "$as_root" != none ]; then
  echo "Installing Chromium for the browser tests"
  export DEBIAN_FRONTEND=noninteractive
  apt install -y --no-install-recommends chromium-headless-shell && exit 0
  apt update || true
  apt install -y --no-install-recommends chromium-headless-shell && exit 0
  has_any && exit 0
  for package in chromium chromium-browser; do
    apt install -y --no-install-recommends "$package" && has_any && exit 0
  done
fi
has_any && exit 0
echo "Fetching Playwright's own Chromium for the browser tests"
"$python" -m playwright install --only-shell chromium >/dev/null 2>&1 && exit 0
echo "No Chromium was found or could be installed. Install chromium or google-chrome for the browser tests." >&2
exit 1

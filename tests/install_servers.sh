#!/bin/sh
# Installs what the tests of the deployment need beyond PyPI, where Debian's packages can be had: nginx, PgBouncer and
# Prometheus' own checker. Without them those tests are skipped.
set -eu
command -v apt-get >/dev/null 2>&1 || exit 0
as_root=none
if [ "$(id -u)" = 0 ]; then as_root=""; elif sudo -n true >/dev/null 2>&1; then as_root="sudo -n"; fi
[ "$as_root" != none ] || exit 0

missing=""
for pair in nginx:nginx-light pgbouncer:pgbouncer promtool:prometheus; do
  PATH=$PATH:/usr/sbin command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair#*:}"
done
[ -n "$missing" ] || exit 0
echo "Installing$missing for the tests of the deployment"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq >/dev/null 2>&1 || true
# They are run by the tests, not by this machine: nothing is started now or at its next start.
policy=/usr/sbin/policy-rc.d
[ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null; $as_root chmod 755 "$policy"; made=yes; }
for package in $missing; do
  $as_root apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 || true
done
[ "${made:-no}" = no ] || $as_root rm -f "$policy"

#!/bin/sh
# Starts a container engine of the tests' own on a Debian machine: no other engine's images or containers are touched.
# Where it cannot, it prints why and ends with 1. Usage: engine.sh FOLDER
set -eu
folder=$1
no() { echo "$1"; exit 1; }

[ "$(id -u)" = 0 ] || no "only root can start a container engine"
command -v apt-get >/dev/null 2>&1 || no "the engine is installed with apt-get, which is not here"
if ! command -v dockerd >/dev/null 2>&1 || ! command -v debootstrap >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null 2>&1 || true
  policy=/usr/sbin/policy-rc.d # the package would start an engine at once
  [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' > "$policy"; chmod 755 "$policy"; made=yes; }
  apt-get install -y -qq --no-install-recommends docker.io debootstrap iptables >/dev/null 2>&1 || no "docker.io cannot be installed"
  [ "${made:-no}" = no ] || rm -f "$policy"
fi
mkdir -p "$folder"
export DOCKER_HOST="unix://$folder/docker.sock"
if /usr/bin/docker info >/dev/null 2>&1; then exit 0; fi
# Networks of the tests are 10.213.x: no address that a machine is likely to use itself.
setsid dockerd --data-root "$folder/data" --exec-root "$folder/run" --pidfile "$folder/dockerd.pid" --host "$DOCKER_HOST" \
  --bridge none --default-address-pool base=10.213.0.0/16,size=24 > "$folder/dockerd.log" 2>&1 < /dev/null &
for _ in $(seq 60); do
  if /usr/bin/docker info >/dev/null 2>&1; then exit 0; fi
  sleep 1
done
no "dockerd does not start: $(grep -v level=info "$folder/dockerd.log" | tail -n 1)"

#!/bin/sh
# Fills .env, which docker-compose.yml reads: a copy of .env.example with a new secret for every `generate`.
# Existing values stay, so it can be run again after an upgrade. Usage: deploy/make-env.sh [FILE]
set -eu
example=$(dirname "$0")/../.env.example
file=${1:-$(dirname "$0")/../.env}
umask 077

is_new=no
[ -e "$file" ] || is_new=yes
touch "$file"
chmod 600 "$file"
[ -z "$(tail -c 1 "$file")" ] || echo >> "$file"
while IFS= read -r line; do
  name=${line%%=*}
  case $line in
    [A-Z]*=*) grep -q "^$name=." "$file" && continue ;;
    *) [ "$is_new" = yes ] || continue ;;
  esac
  case $line in
    *=generate) line="$name=$(od -An -tx1 -N 24 /dev/urandom | tr -d ' \n')" ;;
  esac
  echo "$line" >> "$file"
done < "$example"
echo "$file is complete. Keep it secret, and keep a copy with your backups."

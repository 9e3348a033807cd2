#!/bin/sh
# Makes what docker-compose.yml reads: .env, a copy of .env.example, and a folder of secrets, each in a file of its own.
# Existing values stay, so it can be run again after an upgrade. Usage: deploy/make-env.sh [FILE [FOLDER]]
set -eu
example=$(dirname "$0")/../.env.example
file=${1:-$(dirname "$0")/../.env}
folder=${2:-$(dirname "$file")/secrets}
umask 077

is_new=no
[ -e "$file" ] || is_new=yes
touch "$file"
chmod 600 "$file"
[ -z "$(tail -c 1 "$file")" ] || echo >> "$file"
while IFS= read -r line; do
  case $line in
    [A-Z]*=*) grep -q "^${line%%=*}=." "$file" && continue ;;
    *) [ "$is_new" = yes ] || continue ;;
  esac
  echo "$line" >> "$file"
done < "$example"

# Only the owner may enter the folder. The users in the containers get single files of it, and must be able to read them.
mkdir -p "$folder"
chmod 700 "$folder"
keep() { # FILE VALUE
  [ -s "$folder/$1" ] || printf %s "$2" > "$folder/$1"
  chmod 444 "$folder/$1"
}
earlier() { sed -n "s/^$1=//p" "$file"; } # what an earlier version had in .env
random() { # NAME: its earlier value, or a new one
  old=$(earlier "$1")
  if [ -n "$old" ]; then printf %s "$old"; else od -An -tx1 -N 24 /dev/urandom | tr -d ' \n'; fi
}
address() { # NAME DEFAULT: its earlier value, or that of web and workers, or this one
  old=$(earlier "$1")
  printf %s "${old:-${own:-$2}}"
}
secret() { cat "$folder/$1"; }
for name in postgres_password postgres_owner_password postgres_runtime_password postgres_maintenance_password \
  redis_password redis_admin_password s3_access_key s3_secret_key grafana_password; do
  keep "$name" "$(random "$(echo "$name" | tr '[:lower:]' '[:upper:]')")"
done
keep secret_key "$(random PAWSORT_SECRET_KEY)"
own=$(earlier PAWSORT_DATABASE_URL)
at=postgres:5432/pawsort
keep database_url "$(address PAWSORT_DATABASE_URL "postgresql://pawsort_runtime:$(secret postgres_runtime_password)@$at")"
keep maintenance_database_url "$(address MAINTENANCE_DATABASE_URL "postgresql://pawsort_maintenance:$(secret postgres_maintenance_password)@$at")"
keep owner_database_url "$(address OWNER_DATABASE_URL "postgresql://pawsort_owner:$(secret postgres_owner_password)@$at")"
own=""
keep redis_url "$(address PAWSORT_REDIS_URL "redis://pawsort:$(secret redis_password)@redis:6379/0")"
echo "$file and $folder are complete. Keep the folder secret, and keep a copy of both with your backups."

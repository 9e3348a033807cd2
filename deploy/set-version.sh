#!/bin/sh
# Sets the version everywhere, and turns what is unreleased in the changelog into its section.
# Usage: deploy/set-version.sh VERSION [DAY], in the folder of Pawsort. client/VERSION is where programs read it.
set -eu
version=${1:-}
day=${2:-$(date +%Y-%m-%d)}
previous=$(cat client/VERSION)

refuse() { echo "$1" >&2; exit 2; }
echo "$version" | grep -Eq '^[0-9]+\.[0-9]+\.[0-9]+$' || refuse "Expected VERSION as three numbers, such as 0.2.0; got '$version'."
newest=$(printf '%s\n%s\n' "$previous" "$version" | sort -t . -k 1,1n -k 2,2n -k 3,3n | tail -n 1)
[ "$newest" = "$version" ] && [ "$version" != "$previous" ] || refuse "Expected a version after $previous; got $version."
sed -n '/^## \[Unreleased\]/,/^## \[[0-9]/p' CHANGELOG.md | grep -q '^- ' || refuse "CHANGELOG.md has nothing under [Unreleased]."

rewrite() { # FILE EXPRESSION
  sed -e "$2" "$1" > "$1.new"
  cat "$1.new" > "$1"
  rm "$1.new"
}
echo "$version" > client/VERSION
rewrite deploy/helm/pawsort/Chart.yaml "s/^version: .*/version: $version/; s/^appVersion: .*/appVersion: $version/"
rewrite docs/kubernetes.md "s/\(pawsort-\$image\):[0-9.]*[0-9]/\1:$version/"
awk -v title="## [$version] - $day" '{ print } /^## \[Unreleased\]/ { print ""; print title }' CHANGELOG.md > CHANGELOG.md.new
cat CHANGELOG.md.new > CHANGELOG.md
rm CHANGELOG.md.new

#!/bin/sh
# Builds a release into dist/VERSION and publishes nothing; at the end it says what is left to do by hand.
# Usage: deploy/release.sh VERSION, in a clean checkout with its environment. `make release` runs it.
set -eu
version=${1:-}
python=.venv/bin/python
dist=dist/$version

refuse() { echo "$1" >&2; exit 2; }
say() { echo "== $1"; }
quietly() { # COMMAND …: its output only if it fails
  "$@" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -z "$(git status --porcelain)" ] || refuse "There are changes that are not committed. Commit them, or put them aside."
[ -z "$(git tag --list "v$version")" ] || refuse "The tag v$version exists. Choose the next version."

say "version and changelog"
sh deploy/set-version.sh "$version"
quietly make reference  # installs the version in this environment, too
quietly "$python" -m tests.support.api_changes --keep
[ -e "docs/reference/openapi-$version.json" ] || refuse "The environment has another version than $version. Run make setup-test."
rm -rf "$dist"
mkdir -p "$dist"

say "the guide"
quietly make docs

say "wheels"
for project in ./client .; do
  rm -rf "$project/build"
  quietly "$python" -m pip wheel --no-deps --no-build-isolation --wheel-dir "$dist" "$project"
done

say "chart"
tar -czf "$dist/pawsort-chart-$version.tgz" -C deploy/helm pawsort

say "list of packages (SBOM)"
quietly make sbom
mv sbom.json "$dist/pawsort-$version.cdx.json"

say "a clean environment"
"$python" -m venv "$work/client"
quietly "$work/client/bin/python" -m pip install "$dist/pawsort-$version-py3-none-any.whl"
[ "$("$work/client/bin/pawsort" --version)" = "$version" ] || refuse "The client says another version than $version."
"$python" -m venv "$work/server"
quietly "$work/server/bin/python" -m pip install --require-hashes -r requirements/web.txt
quietly "$work/server/bin/python" -m pip install --no-deps "$dist"/*.whl
quietly "$work/server/bin/pawsort" migrate --help
quietly "$work/server/bin/python" -c "import web.app; from web.pages.system.help import GUIDE; assert (GUIDE / \"docs\" / \"README.html\").exists()"

images="web worker training worker-gpu"
if docker version > /dev/null 2>&1; then
  for image in $images; do
    say "image pawsort-$image"
    quietly docker build --target "$image" --tag "pawsort-$image:$version" .
  done
  left=""
else
  left="
  for image in $images; do docker build --target \$image --tag pawsort-\$image:$version .; done   # no Docker here"
fi

(cd "$dist" && { sha256sum ./* 2> /dev/null || shasum -a 256 ./*; } > "$work/sums")
mv "$work/sums" "$dist/SHA256SUMS"
say "$dist"
ls "$dist"
cat << END
Nothing is published. Look at the changes, then:
  make test-all
  git add --all && git commit --message "Release $version" && git tag --annotate v$version --message "Pawsort $version"$left
  push the commit and the tag, then the images to your registry and the wheels to your package index (docs/releasing.md)
END

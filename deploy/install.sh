#!/bin/sh
# Creates the content of an image: an environment with the packages of one role, and Pawsort itself in its folder `code`.
#
#   deploy/install.sh packages ROLE TARGET   from requirements/ROLE.txt: web, worker, training or gpu
#   deploy/install.sh pawsort TARGET         the parts of Pawsort in the current folder
#   deploy/install.sh guide TARGET           the documentation site, from docs
#
# The Dockerfile and the tests run it. PYTHON names another interpreter than python3.
set -eu
python=${PYTHON:-python3}
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_NO_CACHE_DIR=1

case ${1:-} in
  packages)
    "$python" -m venv --without-pip "$3"
    "$python" -m pip --python "$3/bin/python" install -q --no-deps --require-hashes -r "requirements/$2.txt"
    echo ../../../code > "$("$3/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/pawsort.pth"
    ln -s ../code/bin/pawsort "$3/bin/pawsort"
    ;;
  pawsort)
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # setuptools, at its pinned version, builds the wheels of the client and the server, and is not installed.
    sed -n '/^setuptools==/,/[^\\]$/p' requirements/run.txt > "$work/build.txt"
    "$python" -m pip --python "$2/bin/python" install -q --no-deps --require-hashes --target "$work/tools" -r "$work/build.txt"
    cp -R pyproject.toml README.md NOTICE "$work"
    for part in client core instance migrations model web worker; do
      if [ -d "$part" ]; then cp -R "$part" "$work"; fi
    done
    (cd "$work" && PYTHONPATH="$work/tools" "$python" -m pip --python "$2/bin/python" wheel -q --no-deps --no-build-isolation -w "$work/wheels" ./client .)
    rm -rf "$2/code"
    "$python" -m pip --python "$2/bin/python" install -q --no-deps --target "$2/code" "$work"/wheels/*.whl
    ;;
  guide)
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    "$python" -m venv --without-pip "$work"
    "$python" -m pip --python "$work/bin/python" install -q --no-deps --require-hashes -r requirements/docs.txt
    "$work/bin/python" -m sphinx --quiet --conf-dir docs/site --doctree-dir "$work/doctrees" . "$2"
    ;;
  *)
    echo "Usage: deploy/install.sh packages ROLE TARGET | pawsort TARGET | guide TARGET" >&2
    exit 2
    ;;
esac

#!/bin/sh
# Creates the content of an image: an environment with the packages of one role, and Pawsort itself.
#
#   deploy/install.sh packages ROLE TARGET   from requirements/ROLE.txt: web, worker, training or gpu
#   deploy/install.sh pawsort TARGET         the parts of Pawsort in the current folder
#
# The Dockerfile and the tests run it. PYTHON names another interpreter than python3.
set -eu
python=${PYTHON:-python3}
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

case ${1:-} in
  packages)
    "$python" -m venv "$3"
    "$3/bin/python" -m pip install -q --no-cache-dir --no-deps -r "requirements/$2.txt"
    ;;
  pawsort)
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # setuptools, at its pinned version, builds the wheel, and is not installed.
    "$2/bin/python" -m pip install -q --no-cache-dir --no-deps --target "$work/tools" "$(grep -m 1 -o '^setuptools==[^ ]*' requirements/run.txt)"
    cp -R pyproject.toml README.md NOTICE "$work"
    for part in client core instance migrations model web worker; do
      if [ -d "$part" ]; then cp -R "$part" "$work"; fi
    done
    (cd "$work" && PYTHONPATH="$work/tools" "$2/bin/python" -m pip wheel -q --no-deps --no-build-isolation -w "$work/wheels" .)
    "$2/bin/python" -m pip install -q --no-cache-dir --no-deps --force-reinstall "$work"/wheels/*.whl
    ;;
  *)
    echo "Usage: deploy/install.sh packages ROLE TARGET | pawsort TARGET" >&2
    exit 2
    ;;
esac

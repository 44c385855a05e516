#!/bin/sh
# Installs yuki_builder from this checkout into a fresh virtual environment: the steps of the Dockerfile.
#   docker/install.sh PREFIX [cpu|cu130|...]
# PREFIX is where the environment goes. The second argument names PyTorch's build: cpu is what requirements.txt gets from
# the package index, any other is a tag of PyTorch's own index of CUDA builds.
# For tests: YUKI_PYTHON is the interpreter, and YUKI_SITE_PACKAGES a folder of packages to use instead of installing the
# dependencies.
set -eu
prefix=$1
torch=${2:-cpu}
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT

"${YUKI_PYTHON:-python3}" -m venv "$prefix"
pip() { "$prefix/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }

pip wheel --no-deps --wheel-dir "$wheels" "$here"
if [ -n "${YUKI_SITE_PACKAGES:-}" ]; then
    "$prefix/bin/python" -c 'import sys, sysconfig, pathlib
pathlib.Path(sysconfig.get_path("purelib"), "shared.pth").write_text(sys.argv[1] + "\n")' "$YUKI_SITE_PACKAGES"
    pip install --no-deps "$wheels"/*.whl
else
    if [ "$torch" != cpu ]; then
        version=$(sed -n 's/^torch==\([0-9.]*\).*/\1/p' "$here/requirements.txt")
        pip install --index-url "https://download.pytorch.org/whl/$torch" "torch==$version"
    fi
    # The exact versions of requirements.txt, which the wheel's own ranges allow.
    pip install --requirement "$here/requirements.txt" "$wheels"/*.whl
fi

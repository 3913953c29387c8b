#!/bin/sh
# Installs the pinned packages into a virtual environment: install.sh PREFIX REQUIREMENTS
# Nothing without a matching hash, and nothing that is not listed, gets in.
set -eu
prefix=$1
requirements=$2

python3 -m venv "$prefix"
"$prefix/bin/python" -m pip install --no-cache-dir --disable-pip-version-check --quiet \
  --require-hashes --no-deps --only-binary :all: -r "$requirements"
"$prefix/bin/python" -m pip check --disable-pip-version-check
# Not needed at run time, and what is not there cannot be used by an intruder.
"$prefix/bin/python" -m pip uninstall --yes --quiet pip

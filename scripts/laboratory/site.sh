#!/usr/bin/env bash
# Get the Python packages that the machine's Python 3.11 imports, as wheels.
#   site.sh DIR LIST PYTHON   unpacks into DIR the packages named in the file LIST; PYTHON is an interpreter with pip
set -euo pipefail
platforms=(--platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux2014_x86_64)
"$3" -m pip -q --disable-pip-version-check install --target "$1" --no-compile --python-version 3.11 \
  "${platforms[@]}" --only-binary=:all: -r "$2"

#!/usr/bin/env bash
# Get what scripts/install needs, as wheels for Debian 12's Python 3.11.
#   wheels.sh DIR LIST PYTHON   puts into DIR the packages named in the file LIST; PYTHON is an interpreter with pip
set -euo pipefail
platforms=(--platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux2014_x86_64)
pip=("$3" -m pip -q --disable-pip-version-check)
# Some small ones are published as source only, and are the same wheel for every Python 3.
"${pip[@]}" wheel --no-deps --wheel-dir "$1" sdnotify
"${pip[@]}" download --dest "$1" --find-links "$1" --python-version 3.11 "${platforms[@]}" --only-binary=:all: \
  -r "$2" hatchling

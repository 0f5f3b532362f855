#!/usr/bin/env bash
# Get the Python packages that the machine's Python 3.11 imports, as wheels.
#   site.sh DIR LIST PYTHON [MACHINE]   unpacks into DIR the packages named in the file LIST; PYTHON is an interpreter
#                                       with pip, MACHINE as `uname -m` has it, x86_64 or aarch64
set -euo pipefail
machine="${4:-x86_64}"
platforms=(--platform "manylinux_2_28_$machine" --platform "manylinux_2_27_$machine" --platform "manylinux2014_$machine")
source_only=(sdnotify) # published without a wheel; pure Python, so one made by any interpreter will do
pip=("$3" -m pip -q --disable-pip-version-check)

wheels="$(mktemp -d)"
trap 'rm -rf "$wheels"' EXIT
"${pip[@]}" wheel --no-deps --wheel-dir "$wheels" "${source_only[@]}"
"${pip[@]}" install --target "$1" --no-compile --python-version 3.11 \
  "${platforms[@]}" --only-binary=:all: --find-links "$wheels" -r "$2"

#!/usr/bin/env bash
# Make a newcomer's root file system: a Debian 12 with what the README asks for, and nothing else.
#   bare.sh DIR   leaves it in DIR/root
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"

# shellcheck source-path=SCRIPTDIR
. "$here/debian.sh"
make_debian "$1/root" python3,python3-venv,ca-certificates
chroot "$1/root" useradd --create-home newcomer

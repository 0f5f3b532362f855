#!/usr/bin/env bash
# Unpack Debian 12's Python and what it needs for a 64-bit Arm processor; nothing of it is started.
#   arm.sh DIR   leaves it in DIR/root
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"

# shellcheck source-path=SCRIPTDIR
. "$here/debian.sh"
make_debian "$1/root" python3,libstdc++6,libgomp1 --variant=extract --architectures=arm64

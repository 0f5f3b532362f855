#!/usr/bin/env bash
# Make the container's root file system: a Debian 12 with systemd and Python, as a box has it before edged comes.
#   resident.sh DIR   leaves it in DIR/root
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"

# shellcheck source-path=SCRIPTDIR
. "$here/debian.sh"
make_debian "$1/root" systemd,systemd-sysv,dbus,udev,procps,python3,python3-venv
echo box > "$1/root/etc/hostname"

#!/usr/bin/env bash
# Make the machine's root file system: a Debian 12 with systemd, the agent, and little else.
#   system.sh DIR   leaves it in DIR/root
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"

# shellcheck source-path=SCRIPTDIR
. "$here/debian.sh"
make_debian "$1/root" systemd,systemd-sysv,dbus,udev,kmod,python3,v4l-utils,procps,libgomp1 \
  --customize-hook="copy-in '$here/inside/settle.sh' /root" \
  --customize-hook='chroot "$1" bash /root/settle.sh'
install -m755 "$here/inside/agent.py" "$1/root/usr/local/bin/lab-agent"
install -m644 "$here/inside/lab-agent.service" "$1/root/etc/systemd/system/"
mkdir -p "$1/root/etc/systemd/system/multi-user.target.wants"
ln -s ../lab-agent.service "$1/root/etc/systemd/system/multi-user.target.wants/"

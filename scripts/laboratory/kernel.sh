#!/usr/bin/env bash
# Make the machine's kernel: Debian's own image with the modules that the tests need, v4l2loopback and an initrd.
#   kernel.sh DIR   leaves vmlinuz, initrd.gz and modules/ in DIR
# It all happens in a Debian 12 of its own, so that neither the compiler nor the headers come to the user's machine.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
out="$1"
workshop="$out/workshop"

# shellcheck source-path=SCRIPTDIR
. "$here/debian.sh"
make_debian "$workshop" gcc,make,linux-headers-amd64,kmod,cpio,busybox-static,e2fsck-static \
  --customize-hook="copy-in '$here/inside/workshop.sh' '$here/inside/init' '$here/inside/zone' /root" \
  --customize-hook='chroot "$1" bash /root/workshop.sh'
mv "$workshop"/root/out/* "$out/"
rm -rf "$workshop"

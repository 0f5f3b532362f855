#!/usr/bin/env bash
# Make the kernel that runs as an ordinary program (User-mode Linux), of Debian's own source.
#   uml.sh DIR   leaves it as DIR/linux
# The CPU is not emulated there, so that the real model keeps up with the camera.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
out="$1"
workshop="$out/workshop"

# shellcheck source-path=SCRIPTDIR
. "$here/debian.sh"
make_debian "$workshop" gcc,libc6-dev,make,flex,bison,bc,xz-utils,linux-source-6.1 \
  --customize-hook="copy-in '$here/inside/uml-workshop.sh' '$here/inside/uml.options' /root" \
  --customize-hook='chroot "$1" bash /root/uml-workshop.sh'
mv "$workshop/root/out/linux" "$out/"
rm -rf "$workshop"

#!/usr/bin/env bash
# Put kernel, root file system and Python packages together to a disk, boot it once and keep it as it stands then.
#   image.sh DIR KERNEL SYSTEM SITE PYTHON   leaves disk.qcow2 and the root.img that it builds upon in DIR
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
out="$1" kernel="$2" system="$3" site="$4" python="$5"

# A tree of hard links, so that a second image can be made of the same parts.
cp -al "$system/root" "$out/root"
rm -rf "$out/root/lib/modules" "$out/root/var/cache/apt" "$out/root/var/lib/apt/lists"
cp -al "$kernel/modules" "$out/root/lib/modules"
cp -al "$site" "$out/root/opt/site"
chroot "$out/root" python3 -m compileall -q -j 2 /opt/site || true # some packages ship files for other Pythons
truncate -s 3G "$out/root.img"
mke2fs -q -t ext4 -d "$out/root" -E lazy_itable_init=1,lazy_journal_init=1 "$out/root.img"
rm -rf "$out/root"
(cd "$out" && qemu-img create -q -f qcow2 -b root.img -F raw disk.qcow2)
"$python" "$here/first_boot.py" --kernel "$kernel" --disk "$out/disk.qcow2" --folder "$out/first-boot"

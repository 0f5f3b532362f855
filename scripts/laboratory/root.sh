#!/usr/bin/env bash
# Put a root file system and Python packages together to a disk.
#   root.sh DIR SYSTEM SITE [MODULES]   leaves root.img in DIR
set -euo pipefail
out="$1" system="$2" site="$3" modules="${4:-}"

# A tree of hard links, so that a second disk can be made of the same parts.
cp -al "$system/root" "$out/root"
rm -rf "$out/root/lib/modules" "$out/root/var/cache/apt" "$out/root/var/lib/apt/lists"
[ -z "$modules" ] || cp -al "$modules" "$out/root/lib/modules"
cp -al "$site" "$out/root/opt/site"
chroot "$out/root" python3 -m compileall -q -j 2 /opt/site || true # some packages ship files for other Pythons
truncate -s 3G "$out/root.img"
mke2fs -q -t ext4 -d "$out/root" -E lazy_itable_init=1,lazy_journal_init=1 "$out/root.img"
rm -rf "$out/root"

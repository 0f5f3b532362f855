#!/usr/bin/env bash
# Put kernel, root file system and Python packages together to a disk, boot it once and keep it as it stands then.
#   image.sh DIR KERNEL SYSTEM SITE PYTHON   leaves disk.qcow2 and the root.img that it builds upon in DIR
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
out="$1" kernel="$2" system="$3" site="$4" python="$5"

"$here/root.sh" "$out" "$system" "$site" "$kernel/modules"
(cd "$out" && qemu-img create -q -f qcow2 -b root.img -F raw disk.qcow2)
"$python" "$here/first_boot.py" --kernel "$kernel" --disk "$out/disk.qcow2" --folder "$out/first-boot"

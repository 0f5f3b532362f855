"""Boot the machine, load its cameras, warm its caches, and keep it as it stands then."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from machine import Machine

# A webcam that fails on demand, /dev/video0, and a camera that a program plays, /dev/video10.
_CAMERAS = (
    "modprobe vivid n_devs=1 node_types=0x1 && "
    "modprobe v4l2loopback devices=1 video_nr=10 exclusive_caps=1 card_label=played && udevadm settle"
)
_WARM = "cd /opt/site && PYTHONPATH=/opt/site python3 -c 'import av, cv2, numpy, pytest'"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kernel", type=Path, required=True)
    options.add_argument("--disk", type=Path, required=True)
    options.add_argument("--folder", type=Path, required=True)
    given = options.parse_args()
    began = time.monotonic()
    with Machine(kernel=given.kernel, disk=given.disk, folder=given.folder, restore=False) as machine:
        print(f"booted in {time.monotonic() - began:.0f} s")
        machine.check("systemctl is-system-running --wait || true", timeout_s=120)
        machine.check(_CAMERAS, timeout_s=120)
        machine.check(_WARM, timeout_s=300)
        machine.check("sync")
        machine.save()
    print(f"ready after {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()

"""What keeps the box alive: memory limits, the watchdogs, the repair of its disk, the clock."""

from __future__ import annotations

from pathlib import Path

from edged.clock import Clock
from edged.domain.checkup import Finding, fail, ok, unknown, warn
from edged.domain.words import counted
from edged.health.board.files import read_text
from edged.health.programs import Ask

_CMDLINE = "Add cgroup_enable=memory to the line of /boot/firmware/cmdline.txt, and restart."
_REPAIR = "Add fsck.repair=yes to the kernel's command line, and restart."
_REPAIR_BY_LOADER = {
    "boot/firmware/cmdline.txt": "Add fsck.repair=yes to the one line of /boot/firmware/cmdline.txt, and restart.",
    "boot/extlinux/extlinux.conf": "Add fsck.repair=yes to APPEND in /boot/extlinux/extlinux.conf, and restart.",
    "etc/default/grub": "Add fsck.repair=yes to GRUB_CMDLINE_LINUX in /etc/default/grub; sudo update-grub; restart.",
}
"""By the file of the boot loader that there is: Raspberry Pi OS, JetPack, a PC."""

_CHECK = (
    "Start from an initramfs that checks it, as Debian's initramfs-tools makes (auto_initramfs=1 in a Pi's config.txt)."
)
_AS_ROOT = "sudo edged doctor"
_ARM = "sudo /usr/lib/edged/settle --with hardware-watchdog"
_LOG = "journalctl -u edged -e"


def memory_controller(root: Path = Path("/")) -> Finding:
    """Judge whether MemoryMax= has an effect: a Raspberry Pi's kernel has the controller, and leaves it off."""
    what = "memory limit"
    controllers = read_text(root / "sys/fs/cgroup/cgroup.controllers")
    if controllers is not None:
        on = "memory" in controllers.split()
    elif (root / "sys/fs/cgroup/memory").is_dir():
        on = True
    elif (root / "sys/fs/cgroup").is_dir():
        on = False
    else:
        return unknown(what, "there are no control groups here")
    return ok(what, "the kernel keeps it") if on else warn(what, "the kernel's memory controller is off", _CMDLINE)


def hardware_watchdog(root: Path = Path("/")) -> Finding:
    """Judge whether something resets the box when its kernel hangs."""
    what = "hardware watchdog"
    devices = sorted((root / "sys/class/watchdog").glob("watchdog*"))
    if not devices:
        return unknown(what, "this machine has none that its kernel knows")
    armed = [device for device in devices if read_text(device / "state") == "active"]
    names = ", ".join(filter(None, (read_text(device / "identity") for device in armed or devices)))
    return ok(what, f"armed ({names})") if armed else warn(what, f"there is one ({names}), and it is not armed", _ARM)


def repair(root: Path = Path("/")) -> Finding:
    """Judge whether a file system that a cut of power left torn is repaired at the next boot with nobody there.

    ext4's superblock is two sectors under one checksum. When one of them alone reached the disk, the kernel does not
    mount it, and "fsck -a", which is what an initramfs does without being asked for more, does not repair it. So the
    kernel's command line must ask, and an initramfs must hear it: systemd checks only what is mounted already.
    """
    what = "repair at boot"
    if " / ext4 " not in (read_text(root / "proc/mounts") or ""):
        return unknown(what, "the root file system is not ext4")
    checked = _is_checked_unmounted(root)
    if checked is False:
        return warn(what, "no initramfs tells that it checked the root file system before it was mounted", _CHECK)
    words = (read_text(root / "proc/cmdline") or "").split()
    if dict(word.partition("=")[::2] for word in words).get("fsck.repair") != "yes":
        mend = next((mend for file, mend in _REPAIR_BY_LOADER.items() if (root / file).exists()), _REPAIR)
        return warn(what, "after a cut of power the root file system may wait for somebody to repair it", mend)
    if checked is None:
        return unknown(what, "only root may see whether the root file system is checked before it is mounted", _AS_ROOT)
    return ok(what, "the root file system is repaired without asking")


def _is_checked_unmounted(root: Path) -> bool | None:
    """Whether the initramfs of this boot found the root file system sound, or mended it; None when nobody may look.

    Debian's initramfs-tools leaves this file, by which systemd-fsck-root.service knows that nothing is left to do.
    There is none after fsck.mode=skip, for a root file system that /etc/fstab has unchecked (a 0 at its line's end),
    where the kernel mounts the disk by itself, and by an initrd of another make, as JetPack's is.
    """
    try:
        (root / "run/initramfs/fsck-root").stat()  # exists() hides from Python 3.14 on that nobody may look
    except FileNotFoundError:
        return False
    except PermissionError:  # initramfs-tools makes the folder for root alone
        return None
    return True


def service(ask: Ask) -> Finding:
    """Judge whether systemd runs edged, and watches it."""
    told = ask(
        ["systemctl", "show", "edged.service", "-p", "LoadState,ActiveState,UnitFileState,WatchdogUSec,NRestarts"]
    )
    if told is None:
        return unknown("service", "systemd does not answer here")
    facts = dict(line.partition("=")[::2] for line in told.splitlines())
    if facts.get("LoadState") != "loaded":
        return warn("service", "edged is not installed as a service", "sudo ./scripts/install")
    if facts.get("ActiveState") != "active":
        return fail("service", f"it is {facts.get('ActiveState')}", f"sudo systemctl start edged; {_LOG}")
    if facts.get("UnitFileState") != "enabled":
        return warn("service", "it runs, but will not after a restart of the box", "sudo systemctl enable edged")
    if facts.get("WatchdogUSec") in ("0", "infinity", None):
        return warn("service", "it runs, but nobody watches it", "sudo systemctl revert edged")
    restarts = counted(facts.get("NRestarts", "?"), "time")
    return ok("service", f"runs, watched every {facts['WatchdogUSec']}, restarted {restarts}")


def network(ask: Ask) -> Finding:
    """Judge whether the service may reach a camera that has an address: it has no network unless that was opened."""
    told = ask(["systemctl", "show", "edged.service", "-p", "LoadState,PrivateNetwork"])
    facts = dict(line.partition("=")[::2] for line in (told or "").splitlines())
    if facts.get("LoadState") != "loaded":
        return unknown("network", "edged is not installed as a service")
    if facts.get("PrivateNetwork") == "yes":
        return fail("network", "the service has none, and a camera has an address", "sudo /usr/lib/edged/settle")
    return ok("network", "open to the service")


def clock_set(clock: Clock) -> Finding:
    """Judge whether the wall clock can be believed."""
    match clock.synchronised():
        case None:
            return unknown("clock", "nobody says whether it is synchronised")
        case True:
            return ok("clock", "synchronised")
        case False:
            return warn("clock", "not synchronised: events bear a wrong time", "sudo timedatectl set-ntp true")

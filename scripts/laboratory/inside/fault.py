"""Does one thing to the running service and tells how soon it detects again. Runs in the container, as root.

    python3 fault.py NAME       prints one JSON object
    python3 fault.py gone PID   waits until that process, the service's, has ended, for a fault that comes from outside
    python3 fault.py back PID   waits until another one detects

`back_s` is from the fault to the first inference of the next run, as its status file tells (once a second); None when
it never came. `ended_s` is from the fault to the end of the process, `log` what the journal says of the time between.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_STATUS = Path("/run/edged/status.json")
_LEVERS = Path("/run/edged-lab")
_POLL_S = 0.02
_GIVE_UP_AFTER_S = 120.0
_CRASHES = 8  # more than systemd bears by itself: five in ten seconds


def run(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()


def main_pid() -> int:
    return int(run("systemctl", "show", "edged", "-p", "MainPID", "--value") or 0)


def detecting() -> int | None:
    """The process that says of itself that it runs and has detected; None when none does."""
    try:
        status = json.loads(_STATUS.read_text())
    except (OSError, ValueError):
        return None
    detected = status["state"] == "running" and all(camera["detected"] > 0 for camera in status["cameras"])
    return int(status["pid"]) if detected else None


def wait(condition: Callable[[], bool]) -> float | None:
    """Wait for a condition; return the seconds that it took, None when it never came."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > _GIVE_UP_AFTER_S:
            return None
        time.sleep(_POLL_S)
    return time.monotonic() - began


def wait_for_end(pid: int) -> float | None:
    """Wait until a process has ended. A zombie has, though the kernel may yet hold a thread of it at a hung disk."""
    return wait(lambda: state_of(pid) in (None, "Z"))


def state_of(pid: int) -> str | None:
    """The state of a process as proc(5) writes it; None when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def wait_for_other(pid: int) -> float | None:
    """Wait until another process than `pid` detects."""
    return wait(lambda: detecting() not in (None, pid))


def pull(lever: str) -> None:
    _LEVERS.mkdir(exist_ok=True)
    (_LEVERS / lever).touch()


def let_go(lever: str) -> None:
    (_LEVERS / lever).unlink()


def lever(name: str) -> Callable[[int], None]:
    """A fault that the daemon does to itself when the file is there."""

    def inject(pid: int) -> None:
        pull(name)

    return inject


def kill(number: int) -> Callable[[int], None]:
    """A fault that is a signal."""

    def inject(pid: int) -> None:
        os.kill(pid, number)

    return inject


FAULTS = {
    "stopped": kill(signal.SIGSTOP),
    "killed": kill(signal.SIGKILL),
    "segfault": kill(signal.SIGSEGV),
    "hung-inference": lever("hang-inference"),
    "hung-capture": lever("hang-capture"),
    "dead-capture": lever("kill-capture"),
    "out-of-memory": lever("leak"),
}


def fault(name: str) -> dict[str, Any]:
    """Inject a fault and wait until edged is back from it."""
    pid = main_pid()
    began, at = time.monotonic(), time.time()
    FAULTS[name](pid)
    ended_s = wait_for_end(pid)
    for pulled in _LEVERS.glob("*"):
        pulled.unlink()
    back_s = None if wait_for_other(pid) is None else time.monotonic() - began
    return {"ended_s": ended_s, "back_s": back_s, "log": journal(at)}


def crash_loop() -> dict[str, Any]:
    """Crash at eight starts, then no more."""
    pid, before, at = main_pid(), restarts(), time.time()
    pull("crash")
    os.kill(pid, signal.SIGKILL)
    crashed_for_s = wait(lambda: restarts() - before >= _CRASHES)
    let_go("crash")
    return {"crashed_for_s": crashed_for_s, "back_s": wait_for_other(pid), "log": journal(at)}


def stop_and_start() -> dict[str, Any]:
    """Stop the service, and start it."""
    pid, at, began = main_pid(), time.time(), time.monotonic()
    run("systemctl", "stop", "edged")
    stopped = time.monotonic()
    run("systemctl", "start", "--no-block", "edged")
    start_s = wait_for_other(pid)
    return {"stop_s": stopped - began, "start_s": start_s, "start_cpu_s": cpu_s(main_pid()), "log": journal(at)}


def cpu_s(pid: int) -> float:
    """The CPU time that a process has had: proc(5), utime and stime."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def restarts() -> int:
    return int(run("systemctl", "show", "edged", "-p", "NRestarts", "--value") or 0)


def journal(since: float) -> str:
    """What the service and systemd said of it since then."""
    run("journalctl", "--sync")
    return run("journalctl", "-u", "edged", "--no-pager", "-o", "cat", f"--since=@{since:.3f}")


def from_outside(name: str, pid: int) -> dict[str, Any]:
    """Watch what a fault from outside does."""
    at = time.time()
    waited_s = wait_for_end(pid) if name == "gone" else wait_for_other(pid)
    return {"waited_s": waited_s, "log": journal(at)}


def main() -> None:
    name = sys.argv[1]
    if name in ("gone", "back"):
        found = from_outside(name, int(sys.argv[2]))
    elif wait(lambda: detecting() == main_pid()) is None:
        found = {"back_s": None, "log": "edged was not detecting before:\n" + journal(time.time() - 120)}
    elif name == "pid":
        found = {"pid": main_pid()}
    else:
        found = {"crash-loop": crash_loop, "stop-and-start": stop_and_start}.get(name, lambda: fault(name))()
    print(json.dumps(found))


if __name__ == "__main__":
    main()

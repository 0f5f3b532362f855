"""What is wrong with a daemon that runs."""

from __future__ import annotations

from edged.domain.health import CameraStatus, DaemonStatus


def what_is_wrong(status: DaemonStatus) -> list[str]:
    """A clause for each thing that keeps it from doing all that it is there for; none when it is well."""
    wrong = [clause for camera in status.cameras if (clause := _of_camera(camera))]
    if status.store.error:
        wrong.append(f"events wait in memory, {status.store.waiting} so far: {status.store.error}")
    if status.config_error:
        wrong.append(f"the changed configuration was refused, and the old one goes on: {status.config_error}")
    return [clause.removesuffix(".") for clause in wrong + status.machine.warnings]


def _of_camera(camera: CameraStatus) -> str | None:
    if camera.state.startswith(("lost", "failed")):
        return f"camera {camera.camera} is {camera.state}"
    return None if camera.picture in (None, "ok") else f"the picture of camera {camera.camera} is {camera.picture}"

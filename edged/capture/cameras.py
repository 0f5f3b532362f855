"""Which cameras this machine has, and what each of them can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edged.capture.devices.identity import identify
from edged.capture.devices.nodes import VideoNode, node_at, video_nodes
from edged.capture.v4l2.describe import CameraDescription, describe
from edged.capture.v4l2.device import Device
from edged.capture.v4l2.kernel import Kernel, LinuxKernel
from edged.errors import SourceError, SourceNotACamera


@dataclass(frozen=True, slots=True)
class FoundCamera:
    """One video device: what it offers, or why it does not say."""

    node: VideoNode
    stable_path: Path  # the name to put into a configuration
    offers: CameraDescription | None
    trouble: SourceError | None

    @property
    def takes_pictures(self) -> bool:
        """False for the other nodes of a camera, for decoders, and for displays; true also for what is not known."""
        return not isinstance(self.trouble, SourceNotACamera)


def find_cameras(*, root: Path = Path("/"), kernel: Kernel | None = None) -> list[FoundCamera]:
    """List the video devices below `root`, by number; `kernel` is the seam where a test puts its own."""
    nodes = video_nodes(root)
    return [_found(node, nodes, kernel or LinuxKernel()) for node in nodes]


def takes_pictures(path: Path, *, kernel: Kernel | None = None) -> bool:
    """Ask the driver behind `path` whether this is a camera; False also when nobody may ask."""
    kernel = kernel or LinuxKernel()
    try:
        Device(path, kernel).close()
    except SourceError:
        return False
    return True


def which_camera(path: Path, found: Sequence[FoundCamera]) -> FoundCamera | None:
    """Of the cameras that were `found`, the one that `path` leads to, itself or as a link; None when it is none."""
    node = node_at(path, [camera.node for camera in found])
    return next((camera for camera in found if camera.node is node), None)


def stable_path(node: VideoNode, nodes: Sequence[VideoNode]) -> Path:
    """Name `node`, one of `nodes`, so that the name holds after a restart, as well as that can be done here.

    By its serial number where it has one of its own, else by the port that it is plugged into.
    """
    has_own_serial = node.usb is not None and node.usb.serial is not None and not identify(node, nodes).has_twin
    folders = ("by-id", "by-path") if has_own_serial else ("by-path",)
    links = [link for folder in folders for link in node.links if link.parent.name == folder]
    return links[0] if links else node.path


def _found(node: VideoNode, nodes: Sequence[VideoNode], kernel: Kernel) -> FoundCamera:
    offers, trouble = None, None
    try:
        offers = describe(node.path, kernel=kernel)
    except SourceError as error:
        trouble = error
    return FoundCamera(node, stable_path(node, nodes), offers, trouble)

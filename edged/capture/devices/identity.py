"""Knows a camera again after it was unplugged, whatever number it comes back with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edged.capture.devices.nodes import UsbDevice, VideoNode


@dataclass(frozen=True, slots=True)
class CameraIdentity:
    """What does not change when a camera is plugged in again."""

    node: VideoNode  # as it was when it was last seen
    has_twin: bool  # another camera here cannot be told from it but by its place, or not at all

    def __str__(self) -> str:
        return f"{self.node.name} ({self.node.where})"


def identify(node: VideoNode, nodes: Sequence[VideoNode]) -> CameraIdentity:
    """Remember `node`, one of `nodes`, which are all that there are now."""
    twins = [other for other in nodes if other.path != node.path and _same_kind(other, node)]
    return CameraIdentity(node, has_twin=bool(twins))


def equals_elsewhere(identity: CameraIdentity, nodes: Sequence[VideoNode]) -> list[VideoNode]:
    """List those of `nodes` that are the remembered camera, moved, or a twin of it; none while it is in its place."""
    alike = [node for node in nodes if _same_kind(node, identity.node)]
    return [] if any(node.place == identity.node.place for node in alike) else alike


def find_again(
    identity: CameraIdentity, nodes: Sequence[VideoNode], *, named: VideoNode | None = None
) -> VideoNode | None:
    """Of `nodes`, the one that is the remembered camera; None when it is not there, or when nobody can tell.

    A USB camera with a serial number of its own is the same at any port. One that has none, or shares it with another
    camera here, is the same only at its port; so is a camera on another bus. A loopback, which has no place, is known
    by its name; of several with one name it is the one that the configured path leads to: `named`.
    """
    known = identity.node
    alike = [node for node in nodes if _same_kind(node, known)]
    here = [node for node in alike if node.place == known.place]
    if len(here) > 1 or (identity.has_twin and not known.place):
        return named if named in here else None
    moves = known.usb is not None and known.usb.serial is not None and not identity.has_twin
    candidates = here or (alike if moves else [])
    return candidates[0] if len(candidates) == 1 else None


def _same_kind(node: VideoNode, other: VideoNode) -> bool:
    """Whether two nodes could be one, but for where they are plugged in."""
    if node.index != other.index:
        return False
    if node.usb is None or other.usb is None:
        return node.usb is other.usb and (node.driver, node.name) == (other.driver, other.name)
    return _usb_words(node.usb) == _usb_words(other.usb)


def _usb_words(usb: UsbDevice) -> tuple[str, str, str | None, int]:
    return usb.vendor, usb.product, usb.serial, usb.interface

"""Where the configured camera is now."""

from __future__ import annotations

import fcntl
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from edged.capture.devices.identity import CameraIdentity, equals_elsewhere, find_again, identify
from edged.capture.devices.nodes import VideoNode, node_at, plugged_in_s, video_nodes
from edged.capture.devices.usb import Ioctl, reset_usb
from edged.errors import SourceNotFound

log = logging.getLogger(__name__)

_MOVED_WITHIN_S = 10.0  # the first look of an outage may be late: opening a camera that hangs takes seconds

Captures = Callable[[Path], bool]
"""Whether the driver behind a node says that it takes pictures; False also when nobody may ask."""


class CameraFinder:
    """Says at each opening which node is the configured camera.

    The first time that is the path as configured, and the camera there is remembered. From then on that camera is
    looked for, also under another number, and another camera is never taken for it in silence. A link that names a
    place (/dev/v4l/by-path, or a udev rule of the user's own) means whatever is plugged in there.
    """

    def __init__(self, source: Path, *, captures: Captures, root: Path = Path("/"), ioctl: Ioctl = fcntl.ioctl) -> None:
        """`source` is /dev/videoN or a link to it.

        `root` is where sys and dev lie; `ioctl` is the seam where a test puts its own.
        """
        self._source = source
        self._captures = captures
        self._root = root
        self._ioctl = ioctl
        self._identity: CameraIdentity | None = None
        self._is_lost = False

    def __call__(self) -> Path:
        """Return the node to open. Raises SourceNotFound when the remembered camera is not there."""
        nodes = video_nodes(self._root)
        named = node_at(self._source, nodes)
        if self._identity is None:
            self._remember(named, nodes)
            return self._source
        identity = self._with_twin(self._identity, nodes)
        known = find_again(identity, nodes, named=named)
        node = self._choose(identity, known=known, named=named)
        self._is_lost = node is None
        if node is None:
            self._identity = identity
            raise self._not_here(identity, named)
        if node is not known:
            log.warning("%s leads to another camera now: %s instead of %s", self._source, node.name, identity)
            self._identity = None
        elif node.place != identity.node.place:
            log.warning("%s was plugged in elsewhere: it is at %s now", identity, node.where)
        self._remember(node, nodes)
        return node.path

    def reset(self) -> None:
        """Wake the camera that hangs, where it is on USB; close it first. Raises SourceError."""
        path = self()
        node = node_at(path, video_nodes(self._root))
        if node is None:
            raise SourceNotFound(f"{path} is not there, and cannot be reset", hint="Check its cable and its power.")
        reset_usb(node, root=self._root, ioctl=self._ioctl)

    def _with_twin(self, identity: CameraIdentity, nodes: Sequence[VideoNode]) -> CameraIdentity:
        """When an outage begins, look for a twin that was plugged in beside the camera while that was read.

        What has been there for longer than the outage is not the lost camera at another port. Later it would be known.
        """
        elsewhere = [] if self._is_lost else equals_elsewhere(identity, nodes)
        stood_by = any(plugged_in_s(node, self._root) > _MOVED_WITHIN_S for node in elsewhere)
        return replace(identity, has_twin=True) if stood_by else identity

    def _choose(
        self, identity: CameraIdentity, *, known: VideoNode | None, named: VideoNode | None
    ) -> VideoNode | None:
        """Decide between the camera that was `known` again and the one that the configured name leads to."""
        if re.fullmatch(r"video\d+", self._source.name):
            return known
        if self._source.parent.name == "by-id":  # made of its maker, model and serial number: twins share the link
            return known if known is not None or identity.has_twin else named
        if self._source.parent.name == "by-path" and known is not None and known.place != identity.node.place:
            return named  # the same camera elsewhere is not what is meant
        return named or known  # known: udev may not have made the link yet

    def _remember(self, node: VideoNode | None, nodes: Sequence[VideoNode]) -> None:
        if node is not None and self._captures(node.path):
            had_twin = self._identity is not None and self._identity.has_twin  # which may only be away
            seen = identify(node, nodes)
            self._identity = replace(seen, has_twin=seen.has_twin or had_twin)

    def _not_here(self, identity: CameraIdentity, named: VideoNode | None) -> SourceNotFound:
        if named is None:
            return SourceNotFound(
                f"{self._source} is not there: the camera {identity} is unplugged, or does not answer",
                hint="The daemon opens it by itself when it comes back, also under another number.",
            )
        return SourceNotFound(
            f"{self._source} is another camera now: {named.name} ({named.where}) instead of {identity}",
            hint="Plug the old one in where it was; or name the new one in the configuration and start edged again.",
        )

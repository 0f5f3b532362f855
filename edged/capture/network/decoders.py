"""Which decoder a stream gets: the hardware's where there is one, and libavcodec's own where that fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from edged.capture.foreign import FOREIGN
from edged.capture.limits import MAX_PIXELS

log = logging.getLogger(__name__)

_FRUITLESS_MAX = 60  # packets without a picture: two seconds and a key picture at most cameras


@dataclass(frozen=True, slots=True)
class Decoder:
    """A decoder of libavcodec by its name, on a device of libavutil's by its kind."""

    codec: str
    device: str | None = None

    @property
    def is_hardware(self) -> bool:
        """Whether it is the reason to have another one ready."""
        return self.device is not None or self.codec.endswith("_v4l2m2m")


def choose(
    codec: str, *, codecs: Collection[str], devices: Collection[str], root: Path = Path("/")
) -> tuple[Decoder, ...]:
    """List the decoders to try for `codec`, best first; the last is software.

    `codecs` and `devices` are what this build of libav has. Hardware is listed where the kernel shows it under `root`:
    a stateful V4L2 decoder (Raspberry Pi up to 4: bcm2835-codec), an NVIDIA card, a VA-API render node.
    """
    found = []
    if f"{codec}_v4l2m2m" in codecs and any("codec-decode" in name for name in _v4l2_names(root)):
        found.append(Decoder(f"{codec}_v4l2m2m"))
    if "cuda" in devices and (root / "dev/nvidia0").exists():
        found.append(Decoder(codec, "cuda"))
    if "vaapi" in devices and (root / "dev/dri/renderD128").exists():
        found.append(Decoder(codec, "vaapi"))
    return (*found, Decoder(codec))


def available(codec: str) -> tuple[Decoder, ...]:
    """What this machine and this build of libav have for `codec`."""
    return choose(codec, codecs=av.codecs_available, devices=hwdevices_available())


def _v4l2_names(root: Path) -> Iterator[str]:
    for path in root.glob("sys/class/video4linux/*/name"):
        try:
            yield path.read_text(errors="replace").strip()
        except OSError:  # unplugged meanwhile
            continue


def open_context(decoder: Decoder, stream: VideoStream) -> VideoCodecContext:
    """Make the decoder ready. Raises what is FOREIGN."""
    if decoder.is_hardware:
        options: dict[str, Any] = {}
        if decoder.device:
            options["hwaccel"] = HWAccel(decoder.device, allow_software_fallback=False)
        context = av.CodecContext.create(decoder.codec, "r", **options)
        assert isinstance(context, VideoCodecContext)
        context.extradata = stream.codec_context.extradata
        context.width, context.height = stream.codec_context.width, stream.codec_context.height
    else:
        context = stream.codec_context
    context.thread_count = 1  # inference needs the other cores, and frame threads hold pictures back
    context.options = {"max_pixels": str(MAX_PIXELS)}
    return context


OpenContext = Callable[[Decoder, VideoStream], VideoCodecContext]


class StreamDecoder:
    """Decodes one stream with the first decoder of a list that works."""

    def __init__(
        self,
        stream: VideoStream,
        decoders: Collection[Decoder],
        *,
        useless: set[Decoder],
        open_context: OpenContext = open_context,
    ) -> None:
        """`decoders` ends in the one that is taken for good; those that do not work are added to `useless`."""
        self._stream = stream
        self._left = list(decoders)
        self._useless = useless
        self._open_context = open_context
        self._fruitless = 0
        self._proven = False
        self._context = self._next()

    def decode(self, packet: av.Packet[VideoStream]) -> list[av.VideoFrame]:
        """Return the pictures that the packet completes. Raises what is FOREIGN."""
        try:
            pictures = self._context.decode(packet)
        except FOREIGN as error:
            if self._proven or not self._left:
                raise
            self._fall_back(_words(error))
            return []
        if pictures:
            self._proven = True
        elif not self._proven and self._left:
            self._fruitless += 1
            if self._fruitless >= _FRUITLESS_MAX:
                self._fall_back("it gives no pictures")
        return pictures

    def _next(self) -> VideoCodecContext:
        while True:
            self._decoder = self._left.pop(0)
            try:
                return self._open_context(self._decoder, self._stream)
            except FOREIGN as error:
                if not self._left:
                    raise
                self._say(_words(error))

    def _fall_back(self, why: str) -> None:
        self._say(why)
        self._fruitless = 0
        self._context = self._next()

    def _say(self, why: str) -> None:
        self._useless.add(self._decoder)
        name = " on ".join(part for part in (self._decoder.codec, self._decoder.device) if part)
        log.info("the hardware decoder %s does not work here (%s): trying the next", name, why)


def _words(error: Exception) -> str:
    return (error.strerror if isinstance(error, av.FFmpegError) else None) or type(error).__name__

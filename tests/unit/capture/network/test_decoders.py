from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import av
import pytest

from edged.capture.foreign import FOREIGN
from edged.capture.network.decoders import Decoder, StreamDecoder, available, choose

SOFTWARE = Decoder("h264")
CUDA = Decoder("h264", "cuda")
M2M = Decoder("h264_v4l2m2m")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


def with_v4l2(root: Path, *names: str) -> None:
    for number, name in enumerate(names):
        node = root / f"sys/class/video4linux/video{10 + number}"
        node.mkdir(parents=True)
        (node / "name").write_text(name + "\n")


def with_file(root: Path, path: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).touch()


def chosen(root: Path, codec: str = "h264", devices: tuple[str, ...] = ("cuda", "vaapi")) -> list[Decoder]:
    return list(choose(codec, codecs={"h264", "h264_v4l2m2m", "hevc"}, devices=devices, root=root))


def test_without_hardware_it_is_software(root: Path) -> None:
    assert chosen(root) == [SOFTWARE]


def test_the_decoder_of_a_raspberry_pi_is_taken_first(root: Path) -> None:
    with_v4l2(root, "bcm2835-isp-output0", "bcm2835-codec-decode")
    assert chosen(root) == [M2M, SOFTWARE]


def test_a_camera_is_no_decoder(root: Path) -> None:
    with_v4l2(root, "HD Webcam C270", "bcm2835-codec-encode")
    assert chosen(root) == [SOFTWARE]


def test_a_codec_that_the_build_has_not_for_the_hardware_is_software(root: Path) -> None:
    with_v4l2(root, "bcm2835-codec-decode")
    assert chosen(root, "hevc") == [Decoder("hevc")]


def test_a_card_and_a_render_node_come_in_this_order_where_the_build_knows_them(root: Path) -> None:
    with_file(root, "dev/nvidia0")
    with_file(root, "dev/dri/renderD128")
    assert chosen(root) == [CUDA, Decoder("h264", "vaapi"), SOFTWARE]
    assert chosen(root, devices=("drm",)) == [SOFTWARE]


def test_a_device_or_a_codec_of_the_kernels_makes_a_decoder_hardware() -> None:
    assert [decoder.is_hardware for decoder in (M2M, CUDA, Decoder("hevc", "vaapi"), SOFTWARE)] == [True] * 3 + [False]


def test_this_machine_has_software_at_the_end() -> None:
    assert available("h264")[-1] == SOFTWARE


class ScriptedContext:
    """Answers each packet with what stands in its script; the last answer holds on."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)

    def decode(self, packet: Any) -> Any:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def broken() -> av.FFmpegError:
    return av.error.InvalidDataError(1, "no data that makes sense", "rtsp://user:secret@camera")


def decoder_of(contexts: dict[Decoder, Any], useless: set[Decoder]) -> Any:
    def open_context(decoder: Decoder, stream: Any) -> Any:
        if isinstance(contexts[decoder], Exception):
            raise contexts[decoder]
        return contexts[decoder]

    stream: Any = None
    return StreamDecoder(stream, list(contexts), useless=useless, open_context=open_context)


def test_hardware_that_does_not_open_is_said_once_and_software_decodes(caplog: pytest.LogCaptureFixture) -> None:
    useless: set[Decoder] = set()
    packet: Any = None
    with caplog.at_level(logging.INFO):
        decoder = decoder_of({CUDA: broken(), SOFTWARE: ScriptedContext(["picture"])}, useless)
    assert decoder.decode(packet) == ["picture"]
    assert useless == {CUDA}
    assert [record.getMessage() for record in caplog.records] == [
        "the hardware decoder h264 on cuda does not work here (no data that makes sense): trying the next"
    ]


def test_hardware_that_fails_before_its_first_picture_is_given_up() -> None:
    useless: set[Decoder] = set()
    packet: Any = None
    decoder = decoder_of({M2M: ScriptedContext(broken()), SOFTWARE: ScriptedContext(["picture"])}, useless)
    assert decoder.decode(packet) == []
    assert decoder.decode(packet) == ["picture"]
    assert useless == {M2M}


def test_hardware_that_gives_no_pictures_is_given_up_after_a_while() -> None:
    packet: Any = None
    decoder = decoder_of({M2M: ScriptedContext([]), SOFTWARE: ScriptedContext(["picture"])}, set())
    answers = [decoder.decode(packet) for _ in range(100)]
    assert ["picture"] in answers
    assert answers.index(["picture"]) > 10


def test_hardware_that_has_worked_is_kept_through_damaged_packets() -> None:
    useless: set[Decoder] = set()
    packet: Any = None
    decoder = decoder_of(
        {M2M: ScriptedContext(["first"], broken(), ["third"]), SOFTWARE: ScriptedContext(["software"])}, useless
    )
    assert decoder.decode(packet) == ["first"]
    with pytest.raises(av.FFmpegError):
        decoder.decode(packet)
    assert decoder.decode(packet) == ["third"]
    assert not useless


def test_hardware_that_has_worked_is_kept_through_packets_that_complete_no_picture() -> None:
    useless: set[Decoder] = set()
    packet: Any = None
    decoder = decoder_of({M2M: ScriptedContext(["first"], []), SOFTWARE: ScriptedContext(["software"])}, useless)
    answers = [decoder.decode(packet) for _ in range(100)]
    assert answers == [["first"]] + [[]] * 99
    assert not useless


@pytest.mark.parametrize("fault", [RuntimeError("no stream fits"), NotImplementedError("hardware frames")])
def test_whatever_pyav_raises_is_a_fault_of_the_stream(fault: Exception) -> None:
    packet: Any = None
    decoder = decoder_of({SOFTWARE: ScriptedContext(fault)}, set())
    with pytest.raises(FOREIGN):
        decoder.decode(packet)
    with pytest.raises(FOREIGN):
        decoder_of({SOFTWARE: fault}, set())

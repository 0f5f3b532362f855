"""The kernel's own header is the judge: a compiler reads it and compares."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edged.capture.v4l2 import abi, structures

NATIVE = "gcc"
COMPILERS = {"this machine": NATIVE, "64-bit Arm": "aarch64-linux-gnu-gcc"}

STRUCTURES = {
    "v4l2_capability": structures.Capability,
    "v4l2_fmtdesc": structures.FormatDescription,
    "v4l2_frmsizeenum": structures.FrameSize,
    "v4l2_frmivalenum": structures.FrameInterval,
    "v4l2_format": structures.Format,
    "v4l2_streamparm": structures.StreamParm,
    "v4l2_requestbuffers": structures.RequestBuffers,
    "v4l2_plane": structures.Plane,
    "v4l2_buffer": structures.Buffer,
    "v4l2_queryctrl": structures.QueryControl,
    "v4l2_querymenu": structures.QueryMenu,
    "v4l2_control": structures.ControlValue,
}

NAMELESS = {"sizes", "intervals"}  # unions that have no name in the header
OTHER_NAMES = {"entry": "name", "MAX_PLANES": "VIDEO_MAX_PLANES"}

REQUESTS = [
    "QUERYCAP",
    "ENUM_FMT",
    "G_FMT",
    "S_FMT",
    "REQBUFS",
    "QUERYBUF",
    "QBUF",
    "DQBUF",
    "STREAMON",
    "STREAMOFF",
    "G_PARM",
    "S_PARM",
    "G_CTRL",
    "S_CTRL",
    "QUERYCTRL",
    "QUERYMENU",
    "ENUM_FRAMESIZES",
    "ENUM_FRAMEINTERVALS",
]


def members(structure: Any, name: str = "", start: int = 0) -> Iterator[tuple[str, int, int]]:
    """Walk over (name in C, offset, size) of all fields, nested ones too."""
    nameless = getattr(structure, "_anonymous_", ())
    for field, kind, *_ in structure._fields_:
        if field.startswith("_"):  # stands in for what is not used
            continue
        descriptor = getattr(structure, field)
        offset = start + descriptor.offset
        if issubclass(kind, ctypes.Structure | ctypes.Union):
            inner = name if field in nameless and field in NAMELESS else f"{name}{field}."
            yield from members(kind, inner, offset)
        else:
            yield name + OTHER_NAMES.get(field, field), offset, ctypes.sizeof(kind)


def layout_claims() -> Iterator[str]:
    for name, structure in STRUCTURES.items():
        yield f"sizeof(struct {name}) == {ctypes.sizeof(structure)}"
        for member, offset, size in members(structure):
            yield f"offsetof(struct {name}, {member}) == {offset}"
            yield f"sizeof(((struct {name} *)0)->{member}) == {size}"


def request_claims() -> Iterator[str]:
    for name in REQUESTS:
        yield f"VIDIOC_{name} == {getattr(abi, name):#x}u"


def number_claims() -> Iterator[str]:
    for name, number in (vars(abi) | vars(structures)).items():
        if name.isupper() and isinstance(number, int) and name not in REQUESTS and not name.startswith("_"):
            yield f"{OTHER_NAMES.get(name, 'V4L2_' + name)} == {number:#x}u"


def refuted(compiler: str, claims: list[str], folder: Path) -> list[str]:
    """Let a machine's compiler read its kernel header; return the claims that are false."""
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    program = folder / "claims.c"
    head = ["#include <stddef.h>", "#include <sys/time.h>", "#include <linux/videodev2.h>"]
    program.write_text(
        "\n".join([*head, *(f'_Static_assert({claim}, "claim {i}");' for i, claim in enumerate(claims))])
    )
    done = subprocess.run(
        [compiler, "-fsyntax-only", "-fmax-errors=0", str(program)],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "LC_ALL": "C"},
    )
    if "videodev2.h: No such file" in done.stderr:
        pytest.skip(f"{compiler} has no kernel headers (linux-libc-dev)")
    false = [claim for i, claim in enumerate(claims) if f'static assertion failed: "claim {i}"' in done.stderr]
    assert false or done.returncode == 0, done.stderr
    return false


@pytest.fixture(params=COMPILERS.values(), ids=list(COMPILERS))
def compiler(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_structure_lies_in_memory_as_the_kernel_says(compiler: str, tmp_path: Path) -> None:
    claims = list(layout_claims())
    assert len(claims) > 200
    assert refuted(compiler, claims, tmp_path) == []


def test_every_request_has_the_number_that_the_kernel_gave_it(compiler: str, tmp_path: Path) -> None:
    assert refuted(compiler, list(request_claims()), tmp_path) == []


def test_every_flag_has_the_value_that_the_kernel_gave_it(tmp_path: Path) -> None:
    claims = list(number_claims())
    assert len(claims) > 40
    assert refuted(NATIVE, claims, tmp_path) == []


def test_a_false_claim_is_found(compiler: str, tmp_path: Path) -> None:
    claims = ["sizeof(struct v4l2_control) == 8", "sizeof(struct v4l2_control) == 9"]
    assert refuted(compiler, claims, tmp_path) == claims[1:]


def test_a_fourcc_is_spelled_by_its_letters() -> None:
    assert abi.fourcc_code("YUYV") == 0x56595559
    assert [abi.fourcc(abi.fourcc_code(name)) for name in ("MJPG", "Y8", "BA81")] == ["MJPG", "Y8", "BA81"]

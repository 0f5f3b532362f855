"""The kernel's own header is the judge: a compiler reads it and compares."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from edged.capture.v4l2 import abi, structures, word_structures


class Machine(NamedTuple):
    compiler: str
    word: Any
    flags: tuple[str, ...] = ()


NATIVE = Machine("gcc", ctypes.c_size_t)
MACHINES = {
    "this machine": NATIVE,
    "64-bit Arm": Machine("aarch64-linux-gnu-gcc", ctypes.c_uint64),
    "32-bit Arm": Machine("arm-linux-gnueabihf-gcc", ctypes.c_uint32, ("-D_TIME_BITS=64", "-D_FILE_OFFSET_BITS=64")),
}

STRUCTURES = {
    "v4l2_capability": structures.Capability,
    "v4l2_fmtdesc": structures.FormatDescription,
    "v4l2_frmsizeenum": structures.FrameSize,
    "v4l2_frmivalenum": structures.FrameInterval,
    "v4l2_streamparm": structures.StreamParm,
    "v4l2_requestbuffers": structures.RequestBuffers,
    "v4l2_queryctrl": structures.QueryControl,
    "v4l2_querymenu": structures.QueryMenu,
    "v4l2_control": structures.ControlValue,
}
WITH_POINTERS = {"v4l2_format": "format", "v4l2_plane": "plane", "v4l2_buffer": "buffer"}

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
WITH_POINTERS_IN = {"G_FMT": "format", "S_FMT": "format", "QUERYBUF": "buffer", "QBUF": "buffer", "DQBUF": "buffer"}


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


def layout_claims(machine: Machine) -> Iterator[str]:
    layouts = word_structures.layouts_for(machine.word)
    for name, structure in [
        *STRUCTURES.items(),
        *((name, getattr(layouts, field)) for name, field in WITH_POINTERS.items()),
    ]:
        yield f"sizeof(struct {name}) == {ctypes.sizeof(structure)}"
        for member, offset, size in members(structure):
            yield f"offsetof(struct {name}, {member}) == {offset}"
            yield f"sizeof(((struct {name} *)0)->{member}) == {size}"


def request_claims(machine: Machine) -> Iterator[str]:
    layouts = word_structures.layouts_for(machine.word)
    for name in REQUESTS:
        number = getattr(abi, name)
        if name in WITH_POINTERS_IN:
            size = ctypes.sizeof(getattr(layouts, WITH_POINTERS_IN[name]))
            number = number & ~(0x3FFF << 16) | size << 16
        yield f"VIDIOC_{name} == {number:#x}u"


def number_claims() -> Iterator[str]:
    for name, number in (vars(abi) | vars(structures)).items():
        if name.isupper() and isinstance(number, int) and name not in REQUESTS and not name.startswith("_"):
            yield f"{OTHER_NAMES.get(name, 'V4L2_' + name)} == {number:#x}u"


def refuted(machine: Machine, claims: list[str], folder: Path) -> list[str]:
    """Let the machine's compiler read its kernel header; return the claims that are false."""
    if shutil.which(machine.compiler) is None:
        pytest.skip(f"{machine.compiler} is not installed")
    program = folder / "claims.c"
    head = ["#include <stddef.h>", "#include <sys/time.h>", "#include <linux/videodev2.h>"]
    program.write_text(
        "\n".join([*head, *(f'_Static_assert({claim}, "claim {i}");' for i, claim in enumerate(claims))])
    )
    done = subprocess.run(
        [machine.compiler, *machine.flags, "-fsyntax-only", "-fmax-errors=0", str(program)],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "LC_ALL": "C"},
    )
    if "videodev2.h: No such file" in done.stderr:
        pytest.skip(f"{machine.compiler} has no kernel headers (linux-libc-dev)")
    false = [claim for i, claim in enumerate(claims) if f'static assertion failed: "claim {i}"' in done.stderr]
    assert false or done.returncode == 0, done.stderr
    return false


@pytest.fixture(params=MACHINES.values(), ids=list(MACHINES))
def machine(request: pytest.FixtureRequest) -> Machine:
    made: Machine = request.param
    return made


def test_every_structure_lies_in_memory_as_the_kernel_says(machine: Machine, tmp_path: Path) -> None:
    claims = list(layout_claims(machine))
    assert len(claims) > 200
    assert refuted(machine, claims, tmp_path) == []


def test_every_request_has_the_number_that_the_kernel_gave_it(machine: Machine, tmp_path: Path) -> None:
    assert refuted(machine, list(request_claims(machine)), tmp_path) == []


def test_every_flag_has_the_value_that_the_kernel_gave_it(tmp_path: Path) -> None:
    claims = list(number_claims())
    assert len(claims) > 40
    assert refuted(NATIVE, claims, tmp_path) == []


def test_a_false_claim_is_found(machine: Machine, tmp_path: Path) -> None:
    claims = ["sizeof(struct v4l2_control) == 8", "sizeof(struct v4l2_control) == 9"]
    assert refuted(machine, claims, tmp_path) == claims[1:]


def test_a_fourcc_is_spelled_by_its_letters() -> None:
    assert abi.fourcc_code("YUYV") == 0x56595559
    assert [abi.fourcc(abi.fourcc_code(name)) for name in ("MJPG", "Y8", "BA81")] == ["MJPG", "Y8", "BA81"]

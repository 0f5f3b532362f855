"""UUIDv7: RFC 9562."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from edged.store.ids import Uuid7, is_id
from edged.testing.clock import FakeClock


@given(st.lists(st.floats(-1e9, 1e9), max_size=50), st.floats(0, 4e9))
def test_ids_ascend_and_are_unique_whatever_the_clock_does(jumps: list[float], wall: float) -> None:
    clock = FakeClock(wall=wall)
    ids = Uuid7(clock)
    made = [ids()]
    for jump in jumps:
        clock.jump_wall(jump)
        made += [ids(), ids()]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert all(is_id(one) for one in made)
    assert all(uuid.UUID(one).version == 7 and uuid.UUID(one).variant == uuid.RFC_4122 for one in made)


@given(st.integers(0, 253402300799_000))
def test_the_upper_48_bits_are_the_milliseconds(milliseconds: int) -> None:
    clock = FakeClock(wall=milliseconds / 1000)
    assert uuid.UUID(Uuid7(clock)()).int >> 80 == int(milliseconds / 1000 * 1000)


@given(st.floats(0, 4e9), st.floats(0, 4e9))
def test_ids_go_on_after_those_of_an_earlier_run(earlier: float, later: float) -> None:
    last = Uuid7(FakeClock(wall=earlier))()
    ids = Uuid7(FakeClock(wall=later))
    ids.skip_past(last)
    assert last < ids() < ids()


def test_two_generators_do_not_make_the_same_id() -> None:
    clock = FakeClock()
    assert len({Uuid7(clock)() for _ in range(1000)}) == 1000

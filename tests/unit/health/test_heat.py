from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.health.heat import HeatCurve, Lasting

CURVE = HeatCurve(warn_c=75.0, stop_c=85.0, share_at_stop=0.2, hysteresis_c=3.0)

temperatures = st.floats(-20.0, 120.0)
walks = st.lists(temperatures, min_size=1, max_size=60)
curves = st.builds(
    lambda warn_c, span_c, share, hysteresis_c: HeatCurve(warn_c, warn_c + span_c, share, hysteresis_c),
    st.floats(40.0, 90.0),
    st.floats(1.0, 30.0),
    st.floats(0.0, 1.0),
    st.floats(0.0, 10.0),
)


@pytest.mark.parametrize(
    ("temp_c", "share"),
    [(20.0, 1.0), (75.0, 1.0), (77.5, 0.8), (80.0, 0.6), (84.99, 0.2008), (85.0, 0.0), (110.0, 0.0)],
)
def test_the_curve_is_the_one_that_the_documentation_draws(temp_c: float, share: float) -> None:
    assert CURVE.share(temp_c) == pytest.approx(share)


@given(curves, temperatures, temperatures)
def test_what_is_hotter_never_gets_more(curve: HeatCurve, one_c: float, other_c: float) -> None:
    low_c, high_c = sorted((one_c, other_c))
    assert curve.share(high_c) <= curve.share(low_c)


@given(curves, temperatures)
def test_a_share_is_nothing_at_the_stop_and_no_less_than_the_least_below_it(curve: HeatCurve, temp_c: float) -> None:
    share = curve.share(temp_c)
    if temp_c >= curve.stop_c:
        assert share == 0.0
    else:
        assert curve.share_at_stop - 1e-9 <= share <= 1.0


@given(curves, walks)
def test_what_is_felt_is_never_cooler_than_it_is_nor_hotter_than_the_play(curve: HeatCurve, walk: list[float]) -> None:
    felt_c = None
    for temp_c in walk:
        felt_c = curve.feel(temp_c, felt_c)
        assert temp_c <= felt_c <= temp_c + curve.hysteresis_c


@given(temperatures, st.lists(st.floats(0.0, 3.0), min_size=2, max_size=50))
def test_it_does_not_hunt_a_temperature_that_wavers_within_the_play_changes_nothing(
    peak_c: float, dips_c: list[float]
) -> None:
    felt_c = CURVE.feel(peak_c, None)
    for dip_c in dips_c:
        assert CURVE.share(felt_c := CURVE.feel(peak_c - dip_c, felt_c)) == CURVE.share(peak_c)


@given(curves, walks)
def test_after_any_history_a_cold_machine_has_it_all(curve: HeatCurve, walk: list[float]) -> None:
    felt_c = None
    for temp_c in [*walk, curve.warn_c - curve.hysteresis_c - 1.0]:
        felt_c = curve.feel(temp_c, felt_c)
    assert felt_c is not None
    assert curve.share(felt_c) == 1.0


def test_a_stop_lasts_until_it_is_cooler_by_the_play() -> None:
    felt_c, shares = None, []
    for temp_c in (84.0, 85.0, 84.0, 82.5, 81.9, 70.0):
        felt_c = CURVE.feel(temp_c, felt_c)
        shares.append(CURVE.share(felt_c))
    assert shares == pytest.approx([0.28, 0.0, 0.0, 0.0, 0.208, 1.0])


def test_a_flicker_neither_begins_nor_ends_anything() -> None:
    lasting = Lasting(begins_after_s=10.0, ends_after_s=30.0)
    assert not any(lasting.update(at % 10 < 5, float(at)) for at in range(0, 100, 5))
    changes = [at for at in range(100, 200, 5) if lasting.update(True, float(at))]
    assert (changes, lasting.is_on, lasting.since) == ([110], True, 100.0)
    assert not any(lasting.update(at % 30 == 0, float(at)) for at in range(200, 400, 5))
    changes = [at for at in range(400, 500, 5) if lasting.update(False, float(at))]
    assert (len(changes), lasting.is_on) == (1, False)

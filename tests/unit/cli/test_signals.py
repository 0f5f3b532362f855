from __future__ import annotations

import signal

import pytest

from edged.cli.signals import StopSignals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_comes_before_there_is_anything_to_stop_is_not_lost(number: signal.Signals) -> None:
    stopped = []
    with StopSignals() as signals:
        signal.raise_signal(number)
        signals.stop_with(lambda: stopped.append(True))

    assert stopped == [True]


def test_a_signal_that_comes_later_stops_at_once() -> None:
    stopped = []
    with StopSignals() as signals:
        signals.stop_with(lambda: stopped.append(True))
        assert not stopped
        signal.raise_signal(signal.SIGTERM)

    assert stopped == [True]


def test_a_second_ctrl_c_does_not_wait_for_the_clean_end() -> None:
    with StopSignals() as signals:
        signals.stop_with(lambda: None)
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_the_handlers_of_before_are_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with StopSignals():
        assert signal.getsignal(signal.SIGTERM) != before

    assert signal.getsignal(signal.SIGTERM) == before


def test_a_service_reads_its_configuration_again_at_a_hang_up_and_goes_on() -> None:
    asked, stopped = [], []
    with StopSignals(reload=True) as signals:
        signal.raise_signal(signal.SIGHUP)  # before there is anything to reload: it is not lost
        signals.stop_with(lambda: stopped.append(True))
        signals.reload_with(lambda: asked.append("early"))
        signal.raise_signal(signal.SIGHUP)

    assert asked == ["early"] * 2
    assert stopped == []

"""Points on a plane, as SVG text: no plotting library is worth its megabytes on a small box."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 24, 52
_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf")
_STEPS = 5
_ROOM_UNTIL = 0.8  # of the width: what is written to the right of a point further on would be cut off

Point = tuple[float, float, str]
"""x, y and what is written beside it."""

Place = Callable[[float, float], tuple[float, float]]


def scatter(series: Mapping[str, Sequence[Point]], *, x_title: str, y_title: str) -> str:
    """Draw series of points, those of one series joined in order of x. Takes at least one point."""
    x_range = _range([x for points in series.values() for x, _, _ in points])
    y_range = _range([y for points in series.values() for _, y, _ in points])

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_range[0]) / (x_range[1] - x_range[0])
        up = (y - y_range[0]) / (y_range[1] - y_range[0])
        return _LEFT + across * (_WIDTH - _LEFT - _RIGHT), _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        f'font-size="12"><rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
    ]
    _, bottom = place(x_range[0], y_range[0])
    for x in _ticks(*x_range):
        across, _ = place(x, y_range[0])
        parts.append(f'<path d="M{across:.1f} {_TOP}V{bottom:.1f}" stroke="#ddd"/>')
        parts.append(_text(across, bottom + 16, f"{x:g}", anchor="middle"))
    for y in _ticks(*y_range):
        _, up = place(x_range[0], y)
        parts.append(f'<path d="M{_LEFT} {up:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
        parts.append(_text(_LEFT - 6, up + 4, f"{y:g}", anchor="end"))
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 12, x_title, anchor="middle"))
    parts.append(f'<g transform="translate(16 {(_TOP + _HEIGHT - _BOTTOM) / 2:.0f}) rotate(-90)">')
    parts.append(_text(0, 0, y_title, anchor="middle") + "</g>")
    for index, (name, points) in enumerate(series.items()):
        parts.append(_series(name, sorted(points), _COLOURS[index % len(_COLOURS)], index, place))
    return "\n".join([*parts, "</svg>", ""])


def _series(name: str, points: Sequence[Point], colour: str, index: int, place: Place) -> str:
    places = [(*place(x, y), label) for x, y, label in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
    parts = [f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-opacity="0.4"/>']
    for x, y, label in places:
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
        aside, anchor = (6, "start") if x < _WIDTH * _ROOM_UNTIL else (-6, "end")
        parts.append(_text(x + aside, y - 6, label, anchor=anchor, colour=colour))
    below = _HEIGHT - _BOTTOM - 10 - 16 * index  # where much is paid for little there are no points
    parts.append(_text(_WIDTH - _RIGHT - 8, below, f"{name} ●", anchor="end", colour=colour))
    return "\n".join(parts)


def _text(x: float, y: float, text: str, *, anchor: str = "start", colour: str = "#222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'


def _range(values: Sequence[float]) -> tuple[float, float]:
    """A little more than the values need."""
    low, high = min(values), max(values)
    room = (high - low) * 0.08 or 1.0
    return low - room, high + room


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between the two, some five of them."""
    rough = (high - low) / _STEPS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first = math.ceil(low / step)
    return [round(index * step, 12) for index in range(first, math.floor(high / step) + 1)]

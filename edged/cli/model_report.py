"""What `edged models explain` and `edged models verify` say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from edged.domain.engines import Absent, Verdict
from edged.domain.words import counted

if TYPE_CHECKING:
    from rich.table import Table

    from edged.app.verify import EngineReport
    from edged.backends.choice import Choice
    from edged.detect.spec import ModelSpec
    from edged.domain.detections import Detections


def choice_table(choice: Choice) -> Table:
    """Every engine, whether it is here, the files that it takes, and its place."""
    table = _table("engine", "here", "takes", "place")
    places = {engine.name: number for number, (engine, _) in enumerate(choice.candidates, 1)}
    for verdict in choice.verdicts:
        number = places.get(verdict.engine)
        place = "" if number is None else "runs the model" if number == 1 else f"{number}, if those before it fail"
        table.add_row(verdict.engine, _here(verdict), verdict.format or "no files for it", place)
    return table


def choice_words(choice: Choice) -> Iterator[str]:
    """What to install for the engines that are not here, and what those that are could do elsewhere."""
    for verdict in choice.verdicts:
        if isinstance(verdict.presence, Absent):
            if verdict.format is not None or choice.wanted == verdict.engine:
                yield f"{verdict.engine}: {verdict.presence.hint}"
        else:
            yield from (f"{verdict.engine}: {note}" for note in verdict.presence.notes)


def verify_table(reports: Sequence[EngineReport]) -> Table:
    """Every engine side by side, with its times and how far it lies from the recorded answer."""
    table = _table("engine", "verdict", "load", "a frame", "golden picture")
    for each in reports:
        load = "" if each.load_ms is None else f"{each.load_ms:.0f} ms"
        frame = "" if each.infer_ms is None else f"{each.infer_ms:.1f} ms"
        table.add_row(each.verdict.engine, _outcome(each), load, frame, _agreement(each))
    return table


def model_words(spec: ModelSpec) -> Iterator[str]:
    """What the model is."""
    yield f"{spec.name} ({spec.licence}; {spec.source})"
    wanted = spec.input
    yield f"input    {wanted.width_px} × {wanted.height_px} {wanted.colour.value}, {wanted.resize.value}"
    yield f"head     {spec.head.family.value}, {counted(len(spec.labels), 'label')}"
    yield f"files    {', '.join(sorted(spec.formats))}"


def found_words(found: Detections, labels: Sequence[str]) -> Iterator[str]:
    """What was found in a picture."""
    yield f"found    {counted(len(found), 'object')}"
    for xyxy, confidence, class_id in zip(found.xyxy.tolist(), found.confidence, found.class_id, strict=True):
        yield f"  {labels[class_id]} {confidence:.0%} at {', '.join(f'{edge:.0f}' for edge in xyxy)}"


def _table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    return Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)


def _here(verdict: Verdict) -> str:
    if isinstance(verdict.presence, Absent):
        return f"no: {verdict.presence.reason}"
    return verdict.presence.detail + (", accelerated" if verdict.presence.accelerated else "")


def _outcome(each: EngineReport) -> str:
    if each.error is not None:
        return "FAILED"
    if each.report is not None:
        return "sound"
    return "not here" if isinstance(each.verdict.presence, Absent) else "no files for it"


def _agreement(each: EngineReport) -> str:
    if each.report is None:
        return ""
    if each.report.agreement is None:
        return "none recorded"
    told = each.report.agreement
    return f"{counted(told.objects, 'object')}, within {told.edge_px:.1f} px and {told.confidence:.3f}"

import numpy as np
import pytest

from edged.domain import boxes as box_math
from edged.domain.coco import COCO80
from edged.optimize import grid
from edged.optimize.augment import View
from edged.optimize.classes import COCO_IDS, VEHICLE
from edged.optimize.grid import Floats
from edged.optimize.targets import flip_targets, make_targets, two_hot

SIZE = 192
CELLS = len(grid.cells(SIZE, SIZE)[0])
PERSON, CAR = COCO_IDS["person"], COCO_IDS["car"]


def view_with(xyxy: list[list[float]], class_id: int, *, scope: frozenset[int] = frozenset()) -> View:
    boxes = np.array(xyxy, np.float32).reshape(-1, 4)
    return View(np.zeros((SIZE, SIZE, 3), np.uint8), boxes, np.full(len(boxes), class_id, np.int32), scope)


def blind_teacher() -> tuple[Floats, Floats]:
    """A teacher that sees nothing anywhere."""
    return np.full((len(COCO80), CELLS), 0.01, np.float32), np.full((32, CELLS), 1 / 8, np.float32)


def teacher_that_sees(xyxy: list[float], class_id: int, score: float) -> tuple[Floats, Floats, int]:
    """A teacher whose one cell nearest the middle of a box sees it exactly; also that cell."""
    scores, spread = blind_teacher()
    box = np.array(xyxy, np.float32)
    centres, strides = grid.cells(SIZE, SIZE)
    cell = int(np.argmin(np.abs(centres - (box[:2] + box[2:]) / 2).max(axis=1) + 1000 * (strides != 16)))
    reach = np.concatenate([centres[cell] - box[:2], box[2:] - centres[cell]]) / strides[cell]
    spread[:, cell] = two_hot(reach[None])[:, 0]
    scores[class_id, cell] = score
    return scores, spread, cell


def test_an_annotated_object_that_the_teacher_missed_is_taught_at_its_middle() -> None:
    scores, spread = make_targets(*blind_teacher(), view_with([[60, 50, 100, 130]], PERSON))
    cells = np.flatnonzero(scores[PERSON] > 0.5)
    assert len(cells) >= 1
    told = grid.boxes(spread, SIZE, SIZE)[cells]
    assert box_math.iou(told, np.array([[60, 50, 100, 130]], np.float32)).min() > 0.5


def test_an_object_that_the_teacher_saw_dimly_and_somebody_boxed_is_taught_firmly() -> None:
    seen, spread, cell = teacher_that_sees([60, 50, 100, 130], PERSON, 0.3)
    scores, _ = make_targets(seen, spread, view_with([[60, 50, 100, 130]], PERSON))
    assert scores[PERSON, cell] > 0.8


def test_what_a_thorough_annotator_did_not_box_is_doubted() -> None:
    seen, spread, cell = teacher_that_sees([60, 50, 100, 130], PERSON, 0.8)
    scores, _ = make_targets(seen, spread, view_with([], PERSON, scope=frozenset({PERSON})))
    assert scores[PERSON, cell] == pytest.approx(0.4)


def test_what_nobody_annotated_is_left_as_the_teacher_saw_it() -> None:
    seen, spread, cell = teacher_that_sees([60, 50, 100, 130], PERSON, 0.8)
    scores, same = make_targets(seen, spread, view_with([], PERSON, scope=frozenset({CAR})))
    assert scores[PERSON, cell] == pytest.approx(0.8)
    assert np.array_equal(same, spread)


def test_any_road_vehicle_is_a_vehicle() -> None:
    seen, spread, cell = teacher_that_sees([60, 50, 140, 130], COCO_IDS["bus"], 0.7)
    scores, _ = make_targets(seen, spread, view_with([], PERSON))
    assert scores.shape == (len(COCO80) + 1, CELLS)
    assert scores[VEHICLE, cell] == pytest.approx(0.7)


def test_targets_do_not_change_the_teachers_answer() -> None:
    seen, spread = blind_teacher()
    make_targets(seen, spread, view_with([[60, 50, 100, 130]], PERSON, scope=frozenset({PERSON})))
    assert seen.max() == pytest.approx(0.01)
    assert spread.max() == pytest.approx(1 / 8)


def test_two_hot_keeps_the_distance() -> None:
    reach = np.array([[0.0, 1.25, 3.5, 6.9]], np.float32)
    assert grid.distances(two_hot(reach))[:, 0] == pytest.approx(reach[0], abs=1e-5)


def test_a_mirrored_target_puts_the_box_on_the_other_side() -> None:
    seen, spread, cell = teacher_that_sees([20, 50, 60, 130], PERSON, 0.8)
    scores, mirrored = flip_targets(seen, spread, SIZE)
    there = int(scores[PERSON].argmax())
    assert there != cell
    assert grid.boxes(mirrored, SIZE, SIZE)[there] == pytest.approx([SIZE - 60, 50, SIZE - 20, 130], abs=1e-3)
    again = flip_targets(scores, mirrored, SIZE)
    assert np.array_equal(again[0], seen)
    assert np.array_equal(again[1], spread)

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.domain import boxes
from edged.optimize.augment import damage, draw_view
from edged.optimize.photos import Photo
from tests.unit.optimize.pictures import CAR, block_photo

PHOTOS = [block_photo(seed) for seed in range(6)]


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_every_box_of_a_view_lies_in_it_and_covers_what_it_names(seed: int) -> None:
    view = draw_view(PHOTOS, 192, np.random.default_rng(seed))
    assert view.image.shape == (192, 192, 3)
    assert view.scope == {CAR}
    assert ((view.xyxy >= 0) & (view.xyxy <= 192)).all()
    red = (view.image[..., 2] > 170) & (view.image[..., 0] < 80)
    for left, top, right, bottom in view.xyxy.astype(int):
        # an object pasted over it is red as well: nearly all inside stays red, also after resampling
        assert red[top + 2 : bottom - 2, left + 2 : right - 2].mean() > 0.55 or min(right - left, bottom - top) < 8


def test_a_seed_gives_the_same_view_again() -> None:
    first, second = (draw_view(PHOTOS, 192, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.xyxy, second.xyxy)


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_a_natural_view_shows_one_photo_nearly_whole_and_nothing_else(seed: int) -> None:
    photo = next(block for block in PHOTOS if len(block.xyxy) == 1)
    view = draw_view([photo], 192, np.random.default_rng(seed), natural=True)
    assert len(view.xyxy) <= 1
    whole = view.xyxy[((view.xyxy > 0) & (view.xyxy < 192)).all(axis=1)]
    scale = np.sqrt(boxes.area(whole) / boxes.area(photo.xyxy)) / (192 / 160)
    assert ((scale > 0.79) & (scale < 1.26)).all()


def test_a_mosaic_answers_only_for_classes_that_all_its_parts_annotate() -> None:
    mixed: list[Photo] = [block_photo(1), block_photo(2, scope=frozenset())]
    scopes = {draw_view(mixed, 128, np.random.default_rng(seed)).scope for seed in range(20)}
    assert scopes == {frozenset({CAR}), frozenset()}


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_damage_keeps_shape_and_type_and_leaves_the_original_alone(seed: int) -> None:
    image = PHOTOS[0].image
    before = image.copy()
    damaged = damage(image, np.random.default_rng(seed))
    assert damaged.shape == image.shape
    assert damaged.dtype == np.uint8
    assert np.array_equal(image, before)

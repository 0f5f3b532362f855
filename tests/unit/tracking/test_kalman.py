"""The compact filter says what the textbook's matrices say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from edged.tracking.kalman import Array, Motion, to_edges, to_xyha

BOX = np.array([[300.0], [200.0], [100.0], [0.4]])  # x, y, h, a
NONE_MISSED: npt.NDArray[np.intp] = np.empty(0, np.intp)


class Textbook:
    """The 8 × 8 filter for one box, state x, y, h, a and their velocities, as in SORT's successors."""

    def __init__(self, z: Array) -> None:
        h = z[2]
        self.mean = np.concatenate([z, np.zeros(4)])
        self.cov = np.diag(np.array([h / 10, h / 10, h / 10, 1e-2, h / 16, h / 16, h / 16, 1e-5]) ** 2)

    def predict(self) -> None:
        h, move = self.mean[2], np.eye(8) + np.eye(8, k=4)
        noise = np.diag(np.array([h / 20, h / 20, h / 20, 1e-2, h / 160, h / 160, h / 160, 1e-5]) ** 2)
        self.mean, self.cov = move @ self.mean, move @ self.cov @ move.T + noise

    def update(self, z: Array) -> None:
        h, look = self.mean[2], np.eye(4, 8)
        noise = np.diag(np.array([h / 20, h / 20, h / 20, 1e-1]) ** 2)
        spread = look @ self.cov @ look.T + noise
        gain = self.cov @ look.T @ np.linalg.inv(spread)
        self.mean = self.mean + gain @ (z - look @ self.mean)
        self.cov = self.cov - gain @ spread @ gain.T


def blocks(cov: Array) -> Array:
    """The three numbers of x's and of a's block of an 8 × 8 covariance, as Motion holds them."""
    return np.array([[cov[i, i], cov[j, j]] for i, j in ((0, 3),)] + [[cov[0, 4], cov[3, 7]], [cov[4, 4], cov[7, 7]]])


def test_it_equals_the_textbook_filter_over_a_walk() -> None:
    rng = np.random.default_rng(1)
    book, ours = Textbook(BOX[:, 0]), Motion.born(BOX)
    for step in range(40):
        book.predict()
        ours.advance(1.0)
        if step % 5:
            z = BOX[:, 0] + [3.0 * step, -step, 0.5 * step, 0.001 * step] + rng.normal(0, [2, 2, 2, 0.01])
            book.update(z)
            ours.correct(z[:, None], NONE_MISSED)
        assert ours.mean.reshape(8) == pytest.approx(book.mean, rel=1e-9, abs=1e-9)
        assert ours.covariance[:, :, 0] == pytest.approx(blocks(book.cov), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(("steps", "of"), [(4, 1.0), (2, 2.0), (8, 0.5), (1, 4.0)])
def test_many_small_steps_equal_one_long_step(steps: int, of: float) -> None:
    whole, parts = Motion.born(BOX), Motion.born(BOX)
    for motion in (whole, parts):
        motion.correct(BOX + 1, NONE_MISSED)
        motion.mean[1, :2] = 3.0
    whole.advance(4.0)
    for _ in range(steps):
        parts.advance(of)
    assert parts.mean == pytest.approx(whole.mean)
    assert parts.covariance == pytest.approx(whole.covariance)


def test_a_box_that_was_not_seen_stays_as_it_is() -> None:
    motion = Motion.born(np.hstack([BOX, BOX]))
    motion.advance(1.0)
    before = motion.mean.copy(), motion.covariance.copy()
    motion.correct(np.hstack([BOX + 5, BOX + 5]), np.array([1]))
    assert (motion.mean[:, :, 1] == before[0][:, :, 1]).all()
    assert (motion.covariance[:, :, 1] == before[1][:, :, 1]).all()
    assert motion.mean[0, 0, 0] > BOX[0, 0]


def test_a_shrinking_box_never_turns_inside_out() -> None:
    motion = Motion.born(BOX)
    motion.mean[1, 2:] = [[-30.0], [-0.1]]
    motion.advance(100.0)
    left, top, right, bottom = to_edges(motion.mean[0])[:, 0]
    assert left <= right
    assert top <= bottom


def test_edges_and_back() -> None:
    edges = np.array([[10, 20, 50, 100], [-5, 0, 7, 1]], np.float32).T
    assert to_edges(to_xyha(edges)) == pytest.approx(edges, abs=1e-4)

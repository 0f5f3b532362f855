"""The Kalman filter of SORT and ByteTrack, for all tracks at once and for real time steps.

Source: Wojke, Bewley, Paulus 2017, "Simple Online and Realtime Tracking with a Deep Association Metric", section 2.1,
with the parameters that ByteTrack uses. A box is measured as xyah: centre x, centre y, aspect a = width / height and
height h, each moving at a constant velocity.

The textbook filter holds 8 means and an 8 × 8 covariance a track. That matrix never fills: each of x, y, h and a meets
only its own velocity, and x, y and h have the same noise (a share of the height), hence the same 2 × 2 block. So 8
means and two symmetric blocks of 3 numbers say exactly the same. The rows stand in the order x, y, h, a.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FARTHEST_PX = 2.0**24  # beyond it float32 does not tell a pixel from the next

# Variances of x, y, h (in squared heights) and of a (absolute); velocities are per nominal frame.
_POSITION_NOISE = (1 / 20) ** 2, 1e-2**2
_VELOCITY_NOISE = (1 / 160) ** 2, 1e-5**2
_MEASURED_NOISE = (1 / 20) ** 2, 1e-1**2
_BORN = np.array([[2 / 20, 1e-2], [0, 0], [10 / 160, 1e-5]]) ** 2

_BLOCK = np.array([0, 0, 0, 1])  # which block of the covariance x, y, h and a belong to
_SIZE = slice(2, 4)  # h and a
# The pace at which heights change is mostly the detector's noise: on MOT17, MOT15's ADL-Rundle-6 and PETS09-S2L1,
# boxes that were predicted 2 to 5 frames ahead lay better by 0.1 to 0.3 % of overlap, on moving cameras as much worse.
_SIZE_SLOWS = 0.5
_SMALLEST = 1e-3  # a shrinking box stops here: without a height it would have no noise


class Motion:
    """Where N boxes are, how they move, and how sure that is.

    mean        (2, 4, N) float64: position and velocity, of x, y, h, a
    covariance  (3, 2, N) float64: var(position), cov(position, velocity), var(velocity); of x, y, h and of a
    """

    __slots__ = ("covariance", "mean")

    def __init__(self, mean: Array, covariance: Array) -> None:
        self.mean = mean
        self.covariance = covariance

    @staticmethod
    def born(measured: Array) -> Motion:
        """Begin with boxes seen once, (4, N) x, y, h, a: standing still for all that is known."""
        mean, covariance = np.zeros((2, *measured.shape)), np.empty((3, 2, measured.shape[1]))
        mean[0] = measured
        covariance[:, 0] = _BORN[:, :1] * (measured[2] * measured[2])
        covariance[:, 1] = _BORN[:, 1:]
        return Motion(mean, covariance)

    def __getitem__(self, columns: npt.NDArray[np.intp] | slice) -> Motion:
        """Select boxes; a slice shares memory with this."""
        return Motion(self.mean[:, :, columns], self.covariance[:, :, columns])

    def joined(self, other: Motion) -> Motion:
        """Return these boxes followed by the others."""
        return Motion(
            np.concatenate([self.mean, other.mean], axis=2),
            np.concatenate([self.covariance, other.covariance], axis=2),
        )

    def positions(self, frames: float) -> Array:
        """Say where the boxes will be in `frames` nominal frames, (4, N) x, y, h, a.

        Beyond one frame they grow and shrink at half their pace.
        """
        position: Array = self.mean[1] * frames
        if frames > 1:
            position[_SIZE] -= self.mean[1, _SIZE] * (_SIZE_SLOWS * (frames - 1))
        position += self.mean[0]
        np.maximum(position[_SIZE], _SMALLEST, out=position[_SIZE])
        return position

    def advance(self, frames: float) -> None:
        """Let `frames` nominal frames pass, in place; need not be a whole number."""
        position, both, velocity = self.covariance
        gained = velocity * frames
        position += (both + both + gained) * frames
        both += gained
        of_sides, of_aspect = _process_noise(frames)
        self.covariance[:, 0] += of_sides * (self.mean[0, 2] * self.mean[0, 2])
        self.covariance[:, 1] += of_aspect
        self.mean[0] = self.positions(frames)

    def correct(self, measured: Array, missed: npt.NDArray[np.intp]) -> None:
        """Take in one measurement a box, (4, N) x, y, h, a, in place; for the boxes `missed` nothing changes."""
        noise, aspect_noise = _MEASURED_NOISE
        innovation_variance = self.covariance[0].copy()
        innovation_variance[0] += noise * (self.mean[0, 2] * self.mean[0, 2])
        innovation_variance[1] += aspect_noise
        gain = self.covariance[:2] / innovation_variance
        if len(missed):
            gain[:, :, missed] = 0
        self.mean += gain.take(_BLOCK, axis=1) * (measured - self.mean[0])
        self.covariance[2] -= gain[1] * self.covariance[1]
        self.covariance[:2] *= 1 - gain[0]

    def hold_height(self, columns: npt.NDArray[np.intp]) -> None:
        """Let these boxes grow and shrink no more: unseen, they would soon cover everything or vanish."""
        self.mean[1, 2, columns] = 0


@lru_cache(maxsize=64)
def _process_noise(n: float) -> Array:
    """Return the noise that n frames add to the covariance, (2, 3, 1): of x, y and h in squared heights, and of a.

    One step over n frames equals n steps over one. The velocity noise of the frame that is k from the end reaches the
    position k times; the sums of k and k² over 0..n-1 are polynomials, which serve for broken n as well.
    """
    sum_k, sum_k2 = n * (n - 1) / 2, n * (n - 1) * (2 * n - 1) / 6
    position, velocity = np.array(_POSITION_NOISE), np.array(_VELOCITY_NOISE)
    noise: Array = np.array([n * position + sum_k2 * velocity, sum_k * velocity, n * velocity]).T[:, :, None]
    noise.flags.writeable = False  # every caller gets the same
    return noise


def to_edges(position: Array) -> npt.NDArray[np.float32]:
    """(4, N) x, y, h, a → (4, N) left, top, right, bottom in pixels, none beyond FARTHEST_PX."""
    centre, edges = position[:2], np.empty(position.shape)
    half = edges[2:]
    np.multiply(position[2], 0.5, out=half[1])
    np.multiply(half[1], position[3], out=half[0])
    np.subtract(centre, half, out=edges[:2])
    half += centre
    np.maximum(edges, -FARTHEST_PX, out=edges)
    np.minimum(edges, FARTHEST_PX, out=edges)
    return edges.astype(np.float32)


def to_xyha(edges: npt.NDArray[np.float32]) -> Array:
    """(4, N) left, top, right, bottom, right > left, bottom > top → (4, N) x, y, h, a."""
    wide = edges.astype(np.float64)
    measured = np.empty_like(wide)
    sides = wide[2:] - wide[:2]
    np.add(wide[:2], wide[2:], out=measured[:2])
    measured[:2] *= 0.5
    measured[2] = sides[1]
    np.divide(sides[0], sides[1], out=measured[3])
    return measured

"""What one tracker update costs, by the number of objects, and whether it stays so after many removed tracks.

Objects walk over a frame of 1920 × 1080 with known identities; detections jitter, some are weak and some are missing.
Times are CPU time of this process and include making the Tracks. Peers are timed in the same run when they are
installed (ultralytics, supervision). They are no dependencies: --peers installs them into an environment that is
thrown away afterwards (some gigabytes, with torch), and measures there.

    scripts/bench tracker [--json FILE] [--peers]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt

from edged.domain.detections import Detections
from edged.domain.tracks import Tracks
from edged.tracking.bytetrack import ByteTrack

COUNTS = (5, 20, 50, 100, 300)
FRAMES = 150
STRETCH = 15
ROUNDS = 8
FPS = 30
WIDTH_PX, HEIGHT_PX = 1920, 1080
REMOVED = 25_000

Update = Callable[[Detections], object]


@dataclass(frozen=True)
class Scene:
    """Detections a frame, and which object each detection shows."""

    detections: list[Detections]
    objects: list[npt.NDArray[np.intp]]


def make_scene(count: int, *, frames: int = FRAMES, seed: int = 0) -> Scene:
    """Let `count` objects bounce about the frame; 3 % of the sightings are missing and 10 % weak."""
    rng = np.random.default_rng(seed)
    room = np.array([WIDTH_PX, HEIGHT_PX], float)
    side = rng.uniform([20, 50], [50, 120], (count, 2))
    centre, speed = rng.uniform(0, room, (count, 2)), rng.normal(0, 3, (count, 2))
    detections, objects = [], []
    for _ in range(frames):
        centre = centre + speed
        speed = np.where((centre < 0) | (centre > room), -speed, speed)
        seen = rng.permutation(np.flatnonzero(rng.random(count) > 0.03))
        edges = np.hstack([centre - side / 2, centre + side / 2])[seen] + rng.normal(0, 1.5, (len(seen), 4))
        confidence = np.where(rng.random(len(seen)) < 0.1, rng.uniform(0.2, 0.5, len(seen)), 0.9)
        detections.append(
            Detections(edges.astype(np.float32), confidence.astype(np.float32), np.zeros(len(seen), np.int32))
        )
        objects.append(seen)
    return Scene(detections, objects)


def make_tracker() -> ByteTrack:
    """Set our tracker up as the paper does."""
    return ByteTrack(
        high_confidence=0.6,
        low_confidence=0.1,
        new_track_confidence=0.7,
        match_cost_max=0.9,
        lost_after_s=1.0,
        nominal_frame_s=1 / FPS,
    )


def ours() -> Update:
    """Feed our tracker at a constant rate."""
    tracker, frames = make_tracker(), iter(range(1_000_000_000))
    return lambda detections: tracker.update(detections, next(frames) / FPS)


def ultralytics() -> Update:
    """Feed Ultralytics' tracker as its own track() does: an object with conf, cls and xywh arrays."""
    from ultralytics.engine.results import Boxes
    from ultralytics.trackers.byte_tracker import BYTETracker

    settings = {"track_high_thresh": 0.6, "track_low_thresh": 0.1, "new_track_thresh": 0.7}
    tracker = BYTETracker(SimpleNamespace(**settings, track_buffer=FPS, match_thresh=0.9, fuse_score=True))

    def update(found: Detections) -> object:
        rows = np.column_stack([found.xyxy, found.confidence, found.class_id])
        return tracker.update(Boxes(rows, (HEIGHT_PX, WIDTH_PX)))

    return update


def supervision() -> Update:
    """Feed supervision's tracker."""
    import supervision as sv

    tracker = sv.ByteTrack(
        track_activation_threshold=0.6, minimum_matching_threshold=0.9, lost_track_buffer=30, frame_rate=FPS
    )
    return lambda found: tracker.update_with_detections(
        sv.Detections(xyxy=found.xyxy, confidence=found.confidence, class_id=found.class_id)
    )


PEERS = {"ultralytics": ultralytics, "supervision": supervision}


def costs_us(starts: dict[str, Callable[[], Update]], scene: Scene) -> dict[str, float]:
    """CPU microseconds a call of each contender, who take turns; a new tracker a round.

    Of each stretch of frames the best round counts, so a busy machine disturbs little.
    """
    rounds = [{name: stretches_us(start(), scene) for name, start in starts.items()} for _ in range(ROUNDS)]
    return {name: float(np.min([one[name] for one in rounds], axis=0).mean()) for name in starts}


def stretches_us(update: Update, scene: Scene) -> list[float]:
    """CPU microseconds a call, for each STRETCH frames after the first, which warm up."""
    took = []
    for first in range(0, len(scene.detections), STRETCH):
        part = scene.detections[first : first + STRETCH]
        began = time.process_time()
        for detections in part:
            update(detections)
        took.append((time.process_time() - began) / len(part) * 1e6)
    return took[1:]


def after_many_removed() -> dict[str, float]:
    """Compare 50 objects in a new tracker and in one that has seen REMOVED tracks come and go."""
    scene = make_scene(50)
    old, frames = make_tracker(), iter(range(1_000_000_000))

    def update(detections: Detections) -> Tracks:
        return old.update(detections, next(frames) / FPS)

    for detections in short_lives(REMOVED):
        last = update(detections)
    lived = int(last.track_id.max(initial=0))
    costs = costs_us({"new": ours, "old": lambda: update}, scene)
    return {
        "removed_tracks": lived,
        "new_us": costs["new"],
        "old_us": costs["old"],
        "ratio": costs["old"] / costs["new"],
    }


def short_lives(tracks: int) -> Iterator[Detections]:
    """Show 50 new objects at a time, for three frames each, then none until all are forgotten."""
    at_a_time = 50
    column = np.arange(at_a_time, dtype=np.float32)
    batch = Detections(
        np.stack([column * 30, column * 10, column * 30 + 20, column * 10 + 40], axis=1),
        np.full(at_a_time, 0.9, np.float32),
        np.zeros(at_a_time, np.int32),
    )
    for _ in range(tracks // at_a_time):
        yield from (batch, batch, batch)
        yield from (Detections.empty() for _ in range(FPS + 3))
    yield batch


def ids_per_object(scene: Scene) -> float:
    """How many track ids an object gets on average; 1 is perfect. An object is its track's nearest detection."""
    tracker, ids = make_tracker(), {}
    for frame, (detections, objects) in enumerate(zip(scene.detections, scene.objects, strict=True)):
        tracks = tracker.update(detections, frame / FPS).confirmed()
        gaps = np.abs(tracks.xyxy[:, None] - detections.xyxy[None]).sum(axis=2)
        for track_id, nearest in zip(tracks.track_id.tolist(), objects[gaps.argmin(axis=1)], strict=True):
            ids.setdefault(int(nearest), set()).add(track_id)
    return float(np.mean([len(found) for found in ids.values()]))


def measure() -> dict[str, object]:
    """Time everything."""
    peers = {name: start for name, start in PEERS.items() if importlib.util.find_spec(name)}
    rows = []
    for count in COUNTS:
        scene = make_scene(count)
        costs = costs_us({"edged": ours, **peers}, scene)
        row: dict[str, float] = {"objects": count, "ids_per_object": ids_per_object(scene)}
        row |= {f"{name}_us": cost for name, cost in costs.items()}
        row |= {f"{name}_ratio": costs[name] / costs["edged"] for name in peers}
        rows.append(row)
    return {"update": rows, "after_many_removed": after_many_removed(), "peers": sorted(peers)}


# Without their dependencies: they ask for opencv-python, which would overwrite ours.
_PEERS_ALONE = (
    "ultralytics-opencv-headless==8.4.190",
    "ultralytics-thop",
    "torchvision==0.28.0",
    "supervision==0.26.1",  # later ones have no ByteTrack
)
_PEERS_NEED = ("torch==2.13.0", "scipy", "matplotlib", "pyyaml", "requests", "pillow", "polars", "defusedxml", "tqdm")


def measure_with_peers(arguments: list[str]) -> int:
    """Run this benchmark again in an environment that has the peers as well; return its exit status."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        pip = [f"{folder}/bin/pip", "-qq", "--disable-pip-version-check", "install"]
        subprocess.run([*pip, "-e", str(Path(__file__).parents[2]), *_PEERS_NEED], check=True)
        subprocess.run([*pip, "--no-deps", *_PEERS_ALONE], check=True)
        quiet = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_CONFIG_DIR": folder}
        command = [f"{folder}/bin/python", __file__, *arguments]
        return subprocess.run(command, env=os.environ | quiet, check=False).returncode


def main() -> None:
    """Print a table; write the numbers with --json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here as well")
    parser.add_argument("--peers", action="store_true", help="install the peers somewhere else first, for this run")
    args = parser.parse_args()
    if args.peers:
        sys.exit(measure_with_peers([argument for argument in sys.argv[1:] if argument != "--peers"]))
    result = measure()
    for row in result["update"]:
        print("  ".join(f"{name} {value:.4g}" for name, value in row.items()))
    print("after many removed:", "  ".join(f"{k} {v:.4g}" for k, v in result["after_many_removed"].items()))
    if not result["peers"]:
        print("no peer is installed: --peers compares with them")
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

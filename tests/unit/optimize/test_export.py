"""Translates a network and compares the engines. Needs torch, onnx and pnnx: scripts/env optimize."""

from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="no torch here: scripts/env optimize makes an environment that has it")
pytest.importorskip("onnx")
pytest.importorskip("pnnx")

from edged.clock import SystemClock
from edged.optimize.classes import KEPT
from edged.optimize.export import Deployed, disagreement
from edged.optimize.network import EdgedNano
from edged.optimize.release import release
from edged.optimize.trainer import Plan, Trainer
from tests.unit.optimize.pictures import block_photo


@pytest.mark.slow
def test_a_released_model_says_the_same_in_every_engine_and_fits_its_budget(tmp_path: Path) -> None:
    Trainer(Plan(steps=1), device="cpu", clock=SystemClock()).save(tmp_path / "one.pt")
    golden = tmp_path / "picture.png"
    cv2.imwrite(str(golden), block_photo(1).image)
    lines = list(release(tmp_path / "one.pt", tmp_path / "model", golden=golden, others=[]))
    assert [line.split(":")[0] for line in lines[1:3]] == ["onnxruntime", "ncnn"]
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert names == {"edged-nano.param", "edged-nano.bin", "edged-nano.onnx", "model.toml", "golden.jpg", "golden.json"}
    assert sum(path.stat().st_size for path in (tmp_path / "model").iterdir()) < 1_500_000


def test_a_deployed_network_says_what_the_trained_one_says_of_the_kept_classes() -> None:
    torch.manual_seed(0)
    network = EdgedNano(81).eval()
    rows = [row for row, _ in KEPT.values()]
    x = torch.rand(1, 3, 128, 128)
    with torch.inference_mode():
        logits, sides = network(x)
        outputs = Deployed(network, rows)(x)
    assert [tuple(each.shape) for each in outputs[:4]] == [(1, len(rows), n) for n in (256, 64, 16, 4)]
    torch.testing.assert_close(torch.cat(outputs[:4], 2), logits[:, rows].sigmoid())
    torch.testing.assert_close(torch.cat(outputs[4:], 2), sides)


def test_disagreement_looks_at_edges_only_where_something_is_seen() -> None:
    scores = np.array([[0.05, 0.9]], np.float32)
    edges = np.zeros((4, 2), np.float32)
    moved = edges.copy()
    moved[:, 0] = 5.0
    moved[2, 1] = 0.25
    apart = disagreement([(scores, edges)], [(scores + np.float32(0.01), moved)])
    assert apart.score == pytest.approx(0.01)
    assert apart.edge_strides == pytest.approx(0.25)

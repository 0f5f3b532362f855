"""Begins a training with an exported model. Needs torch, onnx and pnnx: scripts/env optimize."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="no torch here: scripts/env optimize makes an environment that has it")

from edged.errors import ModelInvalid, ModelNotFound
from edged.optimize.classes import KEPT
from edged.optimize.network import EdgedNano
from edged.optimize.warm_start import begin_with, read_convolutions
from tests.unit.optimize.pictures import block_photo

SHIPPED = Path("edged/models/builtin")
ROWS = [row for row, _ in KEPT.values()]


def pictures() -> object:
    images = [block_photo(seed, width=128, height=128).image for seed in range(4)]
    return torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2).astype(np.float32) / 255)


def begun(seed: int) -> EdgedNano:
    torch.manual_seed(seed)
    network = EdgedNano(81)
    begin_with(network, SHIPPED, pictures())
    return network


def test_two_random_networks_that_begin_with_a_model_say_the_same_of_its_classes() -> None:
    one, other = (begun(seed).eval() for seed in (1, 2))
    x = torch.rand(1, 3, 128, 128)
    with torch.inference_mode():
        (ours, our_sides), (theirs, their_sides) = one(x), other(x)
    torch.testing.assert_close(ours[:, ROWS], theirs[:, ROWS], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(our_sides, their_sides, rtol=1e-3, atol=1e-3)
    assert not torch.allclose(ours[:, 1:5], theirs[:, 1:5])  # classes that did not ship begin anew


def test_its_normalisation_does_in_training_what_it_does_in_use() -> None:
    network = begun(1)
    with torch.no_grad():
        in_use = network.eval()(pictures())[0][:, ROWS]
        in_training = network.train()(pictures())[0][:, ROWS]
    torch.testing.assert_close(in_training, in_use, rtol=1e-2, atol=1e-2)


def test_every_weight_of_the_shipped_file_is_read() -> None:
    read = sum(weights.nbytes // 2 + biases.nbytes + 4 for weights, biases in read_convolutions(SHIPPED))
    assert read == (SHIPPED / "edged-nano.bin").stat().st_size


def test_a_folder_without_a_model_and_another_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="no ncnn model"):
        begin_with(EdgedNano(81), tmp_path, pictures())
    with pytest.raises(ModelInvalid, match="another network"):
        begin_with(EdgedNano(81, neck=32), SHIPPED, pictures())

"""Begin a training where an exported model ended, for want of its checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from edged.errors import ModelInvalid, ModelNotFound
from edged.optimize.classes import KEPT
from edged.optimize.export import Deployed
from edged.optimize.grid import BINS, Floats
from edged.optimize.network import EdgedNano

_HALF_MARK = 0x01306B47  # before weights in float16; ncnn's wiki, "param and model file structure"
_CONVOLUTIONS = ("Convolution", "ConvolutionDepthWise")


def begin_with(network: EdgedNano, folder: Path, pictures: Any) -> None:
    """Give the network the weights of the ncnn files in `folder`, which came from such a network.

    Export has folded every batch normalisation into its convolution: each is put back with the mean and deviation that
    it meets in `pictures` (B, 3, H, W), RGB in 0..1, so that the network says the same as before, and trains on as if
    it had never been folded. Classes that did not ship begin anew. Raises ModelNotFound and ModelInvalid.
    """
    deployed = Deployed(network, [row for row, _ in KEPT.values()])
    layers = _in_order(deployed, pictures)
    stored = list(read_convolutions(folder))
    sizes = [(layer.weight.numel(), layer.out_channels) for layer in layers]
    if sizes != [(len(weights), len(biases)) for weights, biases in stored]:
        raise ModelInvalid(
            f"{folder} holds another network than this version of edged trains.", hint="Train from the start."
        )
    biases = {}
    with torch.no_grad():
        for layer, (weights, bias) in zip(layers, stored, strict=True):
            layer.weight.copy_(torch.from_numpy(weights).view_as(layer.weight))
            biases[layer] = torch.from_numpy(bias)
            if layer.bias is not None:
                layer.bias.copy_(biases[layer])
        _put_back_normalisation(network, biases, pictures)
        _put_back_heads(network, deployed)


def read_convolutions(folder: Path) -> Iterator[tuple[Floats, Floats]]:
    """Weights and biases, flat, of the convolutions of the only ncnn model in a folder, in the order of its graph.

    Raises ModelNotFound and ModelInvalid.
    """
    try:
        (param,) = folder.glob("*.param")
        content = param.with_suffix(".bin").read_bytes()
    except (OSError, ValueError) as problem:
        raise ModelNotFound(
            f"{folder} holds no ncnn model, or several.", hint="Name the folder that the command export wrote."
        ) from problem
    at = 0
    for kind, options in _layers(param):
        if kind in _CONVOLUTIONS:
            count, outputs = options[6], options[0]
            if content[at : at + 4] != _HALF_MARK.to_bytes(4, "little"):
                raise ModelInvalid(f"{folder}: weights that are not in float16.", hint="Export it again.")
            weights = np.frombuffer(content, np.float16, count, at + 4).astype(np.float32)
            at += 4 + -(-count * 2 // 4) * 4
            yield weights, np.frombuffer(content, np.float32, outputs, at).copy()
            at += 4 * outputs


def _layers(param: Path) -> Iterator[tuple[str, dict[int, int]]]:
    """Kind and whole-number options of each layer of a .param file."""
    for line in param.read_text().splitlines()[2:]:
        words = line.split()
        pairs = [word.partition("=") for word in words if "=" in word]
        yield words[0], {int(key): int(value) for key, _, value in pairs if value.lstrip("-").isdigit()}


def _in_order(deployed: Deployed, pictures: Any) -> list[Any]:
    """The convolutions in the order in which the pictures go through them, which is the order of the .param."""
    layers: list[Any] = []
    handles = [
        module.register_forward_hook(lambda layer, *_: layers.append(layer))
        for module in deployed.modules()
        if isinstance(module, nn.Conv2d)
    ]
    with torch.no_grad():
        deployed(pictures[:1])
    for handle in handles:
        handle.remove()
    return layers


def _put_back_normalisation(network: EdgedNano, biases: dict[Any, Any], pictures: Any) -> None:
    """Set each normalisation, on the way through the network, so that it adds its convolution's bias and no more."""

    def settle(norm: Any, inputs: tuple[Any]) -> None:
        flat = inputs[0].transpose(0, 1).flatten(1)
        norm.running_mean.copy_(flat.mean(1))
        norm.running_var.copy_(flat.var(1, unbiased=False))
        norm.weight.copy_((norm.running_var + norm.eps).sqrt())
        norm.bias.copy_(norm.running_mean + bias_of[norm])

    bias_of = {
        pair[1]: biases[pair[0]]
        for pair in network.modules()
        if isinstance(pair, nn.Sequential) and len(pair) > 1 and isinstance(pair[1], nn.BatchNorm2d)
    }
    handles = [norm.register_forward_pre_hook(settle) for norm in bias_of]
    network.eval()
    network.features(pictures)
    for handle in handles:
        handle.remove()


def _put_back_heads(network: EdgedNano, deployed: Deployed) -> None:
    rows = [row for row, _ in KEPT.values()]
    sides = slice(network.classes, network.classes + 4 * BINS)
    for head, scores, distances in zip(network.head, deployed.scores, deployed.sides, strict=True):
        for which, part in ((rows, scores), (sides, distances)):
            head.weight[which] = part.weight
            head.bias[which] = part.bias

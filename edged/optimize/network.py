"""The network of edged-nano: about half a million weights, plain convolutions, four levels (strides 8 to 64).

Dense 3 × 3 convolutions carry the backbone: on a CPU they cost less time a multiply-add than depthwise ones, in
training above all. The neck is a path aggregation network (Liu et al., 2018) and the head has the layout of PicoDet
(Yu et al., 2021): for each grid cell the class scores and, for each side of the box, a distribution over 8 distances.
Every layer is one that ncnn runs: convolution, ReLU, nearest upsampling, concatenation, addition.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from edged.optimize.grid import BINS, STRIDES

PRIOR_SCORE = 0.01  # what an untrained head says everywhere, so that the first steps are not spent on the background


def conv(inputs: int, outputs: int, size: int = 3, stride: int = 1, groups: int = 1, *, relu: bool = True) -> Any:
    """Convolution, batch normalisation (folded at export) and ReLU."""
    layers = [
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, momentum=0.03),
    ]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if relu else []))


def separable(inputs: int, outputs: int, stride: int = 1) -> Any:
    """A depthwise 5 × 5 and a pointwise convolution."""
    return nn.Sequential(conv(inputs, inputs, 5, stride, inputs), conv(inputs, outputs, 1))


class Residual(nn.Module):  # type: ignore[misc]
    """x + pointwise(3 × 3(x))."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.wide = conv(width, hidden)
        self.back = conv(hidden, width, 1, relu=False)

    def forward(self, x: Any) -> Any:
        return functional.relu(x + self.back(self.wide(x)))


class Merge(nn.Module):  # type: ignore[misc]
    """Two maps of one size into one."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = conv(2 * width, width, 1)
        self.refine = separable(width, width)

    def forward(self, a: Any, b: Any) -> Any:
        return self.refine(self.mix(torch.cat([a, b], 1)))


class EdgedNano(nn.Module):  # type: ignore[misc]
    """Pixels in, raw head outputs out.

    forward() takes (B, 3, H, W), RGB in 0..1, sides multiples of 64, and returns the class logits (B, classes, A) and
    the box logits (B, 4 × 8, A) of the A grid cells of all levels, finest first, rows before columns.
    """

    def __init__(self, classes: int, *, neck: int = 48) -> None:
        super().__init__()
        self.classes = classes
        self.level8 = nn.Sequential(conv(3, 12, 3, 2), conv(12, 24, 3, 2), conv(24, 48, 3, 2), Residual(48, 48))
        self.level16 = nn.Sequential(conv(48, 96, 3, 2), Residual(96, 64), Residual(96, 64))
        self.level32 = nn.Sequential(conv(96, 128, 3, 2), Residual(128, 96))
        self.lateral = nn.ModuleList([conv(width, neck, 1) for width in (48, 96, 128)])
        self.top_down = nn.ModuleList([Merge(neck), Merge(neck)])
        self.down = nn.ModuleList([separable(neck, neck, 2) for _ in range(3)])
        self.bottom_up = nn.ModuleList([Merge(neck), Merge(neck)])
        self.tower = nn.ModuleList([separable(neck, neck) for _ in STRIDES])
        self.head = nn.ModuleList([nn.Conv2d(neck, classes + 4 * BINS, 1) for _ in STRIDES])
        for layer in self.head:
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)
            nn.init.constant_(layer.bias[:classes], -math.log((1 - PRIOR_SCORE) / PRIOR_SCORE))

    def features(self, x: Any) -> list[Any]:
        """What the head sees of each level, (B, neck, H / stride, W / stride)."""
        fine = self.level8(x)
        middle = self.level16(fine)
        maps = [fine, middle, self.level32(middle)]
        fine, middle, coarse = [layer(each) for layer, each in zip(self.lateral, maps, strict=True)]
        middle = self.top_down[0](middle, functional.interpolate(coarse, scale_factor=2.0, mode="nearest"))
        fine = self.top_down[1](fine, functional.interpolate(middle, scale_factor=2.0, mode="nearest"))
        middle = self.bottom_up[0](middle, self.down[0](fine))
        coarse = self.bottom_up[1](coarse, self.down[1](middle))
        maps = [fine, middle, coarse, self.down[2](coarse)]
        return [tower(each) for tower, each in zip(self.tower, maps, strict=True)]

    def forward(self, x: Any) -> tuple[Any, Any]:
        flat = torch.cat([head(each).flatten(2) for head, each in zip(self.head, self.features(x), strict=True)], 2)
        return flat[:, : self.classes], flat[:, self.classes :]

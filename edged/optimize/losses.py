"""How far the student is from the targets.

Scores by the quality focal loss and boxes by the distribution loss of Li et al. (Generalized Focal Loss, 2020), with
the teacher's soft values in place of hard labels, and an IoU loss on the expected distances. A small pull of the class
logits themselves carries what the teacher knows about the background, most at the start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from edged.optimize.classes import COCO_IDS, TAUGHT
from edged.optimize.grid import BINS

MAIN = ("person", "vehicle")
SIDE_WEIGHT = 0.15  # of the classes that only help to learn
WORTH_A_BOX = 0.05
SCORE_FLOOR = 1e-3


@dataclass(frozen=True, slots=True)
class Weights:
    """What each part counts."""

    score: float = 1.0
    distribution: float = 0.4
    iou: float = 1.5
    logit: float = 0.3


def class_weights() -> Any:
    """(81, 1): 1 for the classes that ship, less for the rest."""
    ids = [COCO_IDS.get(name, len(TAUGHT) - 1) for name in MAIN]
    weights = torch.full((len(TAUGHT), 1), SIDE_WEIGHT)
    weights[ids] = 1.0
    return weights


def distillation_loss(logits: Any, sides: Any, scores: Any, spread: Any, weigh: Any, weights: Weights) -> Any:
    """Sum of the parts and the parts themselves, (5,).

    logits (B, 81, A) and sides (B, 32, A) are the student's, scores and spread of the same shapes the targets, weigh
    (81, 1) the classes' weights.
    """
    guess = logits.sigmoid()
    gap = (guess - scores).abs()
    surprise = functional.binary_cross_entropy_with_logits(logits, scores, reduction="none")
    worth = (scores * weigh).amax(1)
    total = worth.sum().clamp(min=1.0)
    score = (surprise * gap.square() * weigh).sum() / total

    wanted = torch.logit(scores, eps=SCORE_FLOOR)
    logit = (functional.smooth_l1_loss(logits, wanted, reduction="none") * weigh).mean()

    where = (worth > WORTH_A_BOX).nonzero(as_tuple=True)
    share = worth[where] / total
    mine = sides.transpose(1, 2)[where].view(-1, 4, BINS).log_softmax(2)
    theirs = spread.transpose(1, 2)[where].view(-1, 4, BINS)
    entropy = -(theirs * theirs.clamp(min=1e-6).log()).sum((1, 2))
    distribution = ((-(theirs * mine).sum((1, 2)) - entropy) * share).sum()
    iou = ((1 - _distance_iou(mine.exp(), theirs)) * share).sum()

    whole = weights.score * score + weights.distribution * distribution + weights.iou * iou + weights.logit * logit
    return whole, torch.stack([whole, score, distribution, iou, logit]).detach()


def _distance_iou(mine: Any, theirs: Any) -> Any:
    """IoU (n,) of boxes given as distributions (n, 4, 8) of the distances from one point; GIoU's penalty included."""
    bins = torch.arange(BINS, dtype=mine.dtype, device=mine.device)
    a, b = mine @ bins, theirs @ bins
    least, most = torch.minimum(a, b), torch.maximum(a, b)
    common = (least[:, 0] + least[:, 2]) * (least[:, 1] + least[:, 3])
    hull = (most[:, 0] + most[:, 2]) * (most[:, 1] + most[:, 3])
    areas = (a[:, 0] + a[:, 2]) * (a[:, 1] + a[:, 3]) + (b[:, 0] + b[:, 2]) * (b[:, 1] + b[:, 3])
    union = areas - common
    return common / union.clamp(min=1e-6) - (hull - union) / hull.clamp(min=1e-6)

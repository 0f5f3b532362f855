"""The training loop: a student learns from a teacher's answers, within a budget of hours or steps."""

from __future__ import annotations

import copy
import math
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from edged.clock import Clock
from edged.errors import EdgedError
from edged.optimize.classes import TAUGHT
from edged.optimize.crew import Crew, alone
from edged.optimize.losses import Weights, class_weights, distillation_loss
from edged.optimize.network import EdgedNano
from edged.optimize.warm_start import begin_with

_HINT = "Name a checkpoint that the training wrote."
_UNLIKE = (KeyError, TypeError, ValueError, RuntimeError)
"""What torch raises at a state of something else."""

PARTS = ("loss", "score", "distribution", "iou", "logit")


class CheckpointError(EdgedError):
    """A checkpoint cannot be used."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do; the schedule runs on the share of the budget that is spent, so it ends where the budget ends.

    hours      the budget in hours of training, or
    steps      the budget in steps (exactly repeatable)
    batch      pictures a step and process
    sizes      (share of the budget, side in pixels): the side of the training views from that share on
    head_alone share of the budget in which only the head learns, because the rest knows its trade already
    natural_from
               the views from that share on are natural ones: no mosaics, nothing pasted (Ge et al. 2021, "YOLOX")
    """

    hours: float | None = None
    steps: int | None = None
    batch: int = 16
    seed: int = 1
    peak_rate: float = 2e-3
    last_rate: float = 2e-5
    decay: float = 0.03
    warm_up: float = 0.03
    ema: float = 0.998
    sizes: tuple[tuple[float, int], ...] = ((0.0, 192), (0.4, 256), (0.75, 320))
    head_alone: float = 0.0
    natural_from: float = 0.8
    weights: Weights = field(default_factory=Weights)
    checkpoint_every_s: float = 180.0

    def share(self, *, step: int, spent_s: float) -> float:
        """How much of the budget is spent, 0..1."""
        if self.steps is not None:
            return min(step / self.steps, 1.0)
        return min(spent_s / 3600 / (self.hours or 1.0), 1.0)

    def rate(self, share: float) -> float:
        """Learning rate: a short rise, then half a cosine down."""
        if share < self.warm_up:
            return self.peak_rate * (0.05 + 0.95 * share / self.warm_up)
        turn = (share - self.warm_up) / (1 - self.warm_up)
        return self.last_rate + (self.peak_rate - self.last_rate) * (1 + math.cos(math.pi * turn)) / 2

    def size_px(self, share: float) -> int:
        """Side of the views at this share of the budget."""
        return [side for start, side in self.sizes if share >= start][-1]


@dataclass(slots=True)
class Progress:
    """Where a training stands."""

    step: int = 0
    spent_s: float = 0.0
    share: float = 0.0
    rate: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)


class Trainer:
    """Student, its slow average (the one that ships), optimiser and progress; all of it goes into a checkpoint."""

    def __init__(self, plan: Plan, *, device: str, clock: Clock, crew: Crew | None = None) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.progress = Progress()
        self._clock = clock
        self._device = device
        self._crew = crew or alone()
        self._student = EdgedNano(len(TAUGHT)).to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self._student).eval()
        matrices = [each for each in self._student.parameters() if each.ndim > 1]
        vectors = [each for each in self._student.parameters() if each.ndim == 1]
        groups = [{"params": matrices, "weight_decay": plan.decay}, {"params": vectors, "weight_decay": 0.0}]
        self._optimiser = torch.optim.AdamW(groups, lr=plan.peak_rate, fused=True)
        self._weigh = class_weights().to(device)
        self.size_px = multiprocessing.get_context("fork").Value("i", plan.size_px(0.0))
        self.natural = multiprocessing.get_context("fork").Value("b", False)

    @property
    def done(self) -> bool:
        """Whether the budget is spent."""
        return self.progress.share >= 1.0

    def run(
        self, batches: Iterator[tuple[Any, Any, Any]], *, checkpoint: Path, tell: Callable[[Progress], None]
    ) -> None:
        """Train until the budget is spent; save every few minutes and at the end."""
        began = self._clock.monotonic() - self.progress.spent_s
        saved_at = self._clock.monotonic()
        while not self.done:
            self.progress.spent_s = self.step(next(batches), spent_s=self._clock.monotonic() - began)
            self.progress.share = self.plan.share(step=self.progress.step, spent_s=self.progress.spent_s)
            self._set_stage()
            tell(self.progress)
            if self._clock.monotonic() - saved_at > self.plan.checkpoint_every_s:
                self.save(checkpoint)
                saved_at = self._clock.monotonic()
        self.save(checkpoint)

    def step(self, batch: tuple[Any, Any, Any], *, spent_s: float = 0.0) -> float:
        """Learn from one batch. Returns the time spent, on which the crew agrees by taking the mean."""
        state = self.progress
        state.rate = self.plan.rate(state.share)
        for group in self._optimiser.param_groups:
            group["lr"] = state.rate
        pixels, scores, spread = (each.to(self._device) for each in batch)
        pixels = (pixels.permute(0, 3, 1, 2).float() / 255).contiguous(memory_format=torch.channels_last)
        fading = self.plan.weights.logit * max(1 - 1.5 * state.share, 0.1)
        self._student.train()
        logits, sides = self._student(pixels)
        loss, parts = distillation_loss(
            logits, sides, scores.float(), spread.float(), self._weigh, replace(self.plan.weights, logit=fading)
        )
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        spent_s = self._crew.mean((each.grad for each in self._student.parameters()), spent_s)
        if state.share < self.plan.head_alone:
            for name, parameter in self._student.named_parameters():
                if not name.startswith("head."):
                    parameter.grad = None
        torch.nn.utils.clip_grad_norm_(self._student.parameters(), 10.0)
        self._optimiser.step()
        state.step += 1
        state.parts = dict(zip(PARTS, parts.tolist(), strict=True))
        self._follow(min(self.plan.ema, state.step / (state.step + 10)))
        return spent_s

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _follow(self, keep: float) -> None:
        """Move the slow average a little towards the student."""
        ours, theirs = (
            [value for value in network.state_dict().values() if value.dtype.is_floating_point]
            for network in (self.average, self._student)
        )
        torch._foreach_lerp_(ours, theirs, 1 - keep)

    def save(self, path: Path) -> None:
        """Write a checkpoint; a cut in the middle leaves the one before. The first of a crew does it for all."""
        if self._crew.rank:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        torch.save(
            {
                "plan": asdict(self.plan),
                "progress": asdict(self.progress),
                "student": self._student.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self._optimiser.state_dict(),
            },
            partial,
        )
        partial.replace(path)

    def begin_with(self, folder: Path, pictures: Any) -> None:
        """Begin with the model that was exported to `folder`; see warm_start. Raises ModelNotFound and ModelInvalid."""
        begin_with(self._student, folder, pictures)
        self.average.load_state_dict(self._student.state_dict())

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint, under a larger budget if this plan has one. Raises CheckpointError."""
        state = read_checkpoint(path)
        try:
            self._student.load_state_dict(state["student"])
            self.average.load_state_dict(state["average"])
            self._optimiser.load_state_dict(state["optimiser"])
            self.progress = Progress(**state["progress"])
        except _UNLIKE as error:
            raise CheckpointError(f"{path} holds no training to go on with: {error!r}", hint=_HINT) from error
        self.progress.share = self.plan.share(step=self.progress.step, spent_s=self.progress.spent_s)
        self._set_stage()

    def _set_stage(self) -> None:
        self.size_px.value = self.plan.size_px(self.progress.share)
        self.natural.value = self.progress.share >= self.plan.natural_from


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Raises CheckpointError."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what is no checkpoint may be any bytes, and the unpickler fails at them in any way
        raise CheckpointError(f"{path} is no checkpoint: {error!r}", hint=_HINT) from error
    return state


def plan_of(path: Path, *, budget: Plan) -> Plan:
    """The plan of a checkpoint with the hours or steps of another one. Raises CheckpointError."""
    try:
        before: dict[str, Any] = {"natural_from": 1.0, **read_checkpoint(path)["plan"]}
        weights, sizes = Weights(**before["weights"]), tuple((share, side) for share, side in before["sizes"])
        return Plan(**{**before, "weights": weights, "sizes": sizes, "hours": budget.hours, "steps": budget.steps})
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path} is a checkpoint of another version of edged: {error}", hint="Train from the start."
        ) from error


def save_average(checkpoints: Sequence[Path], path: Path) -> None:
    """Write a checkpoint, to be exported and not to go on from, with the mean of what would ship of several.

    Checkpoints of one training, some apart, fail in different places: Izmailov et al. 2018, "Averaging Weights Leads to
    Wider Optima and Better Generalization". Raises CheckpointError.
    """
    averages = [averaged_network(each).state_dict() for each in checkpoints]
    mean = {name: sum(each[name].double() for each in averages) / len(averages) for name in averages[0]}
    torch.save({"average": {name: mean[name].to(value.dtype) for name, value in averages[0].items()}}, path)


def averaged_network(path: Path) -> EdgedNano:
    """The network that ships: the slow average in a checkpoint, on the CPU, ready to look. Raises CheckpointError."""
    network = EdgedNano(len(TAUGHT))
    try:
        network.load_state_dict(read_checkpoint(path)["average"])
    except _UNLIKE as error:
        raise CheckpointError(f"{path} holds no network of this kind: {error!r}", hint=_HINT) from error
    network.eval()
    return network

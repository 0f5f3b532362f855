"""`scripts/train_builtin`: train, measure and export the model that comes with edged."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads of ncnn and torch that spin take the core from each other

from rich.console import Console

from edged.clock import SystemClock
from edged.domain.words import counted
from edged.errors import EdgedError

if TYPE_CHECKING:
    from edged.optimize.photos import Photo
    from edged.optimize.trainer import Plan

CHECKPOINT = "checkpoint.pt"
PICTURES_TO_SETTLE = 64  # the means of a normalisation layer over so many pictures are good to a few percent
GENTLE_RATE = 6e-4  # a third of a new network's: what it knows must outlive the first steps


@dataclass(frozen=True, slots=True)
class Order:
    """What every training process is told."""

    photos: Sequence[Photo]
    teacher: Path
    plan: Plan
    out: Path
    resume: bool
    begin_with: Path | None
    device: str
    crew_size: int
    meeting_place: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit code."""
    options = _parser().parse_args(arguments)
    console = Console()
    try:
        commands = {"teacher": _teacher, "train": _train, "average": _average, "measure": _measure, "export": _export}
        commands[options.command](options, console)
    except EdgedError as error:
        console.print(str(error), style="red", markup=False)
        return error.exit_code
    except OSError as error:  # a file that is not there, a folder that cannot be written, a full disk
        console.print(str(error), style="red", markup=False)
        return EdgedError.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/train_builtin", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    teacher = commands.add_parser("teacher", help="translate the published PicoDet-S 320 for use as the teacher")
    teacher.add_argument("--onnx", type=Path, required=True, help="picodet_s_320_coco.onnx")
    teacher.add_argument("--out", type=Path, default=Path("runs/teacher"), help="a folder for the two files")

    train = commands.add_parser("train", help="train; stop and go on as you like")
    train.add_argument("--photos", type=Path, required=True, help="a folder with manifest.csv, images/ and labels/")
    train.add_argument("--teacher", type=Path, required=True, help="the folder that the command teacher wrote")
    train.add_argument(
        "--second-look",
        type=Path,
        metavar="DIR",
        help="box what nobody annotated, by what get_model made of picodet-s-416",
    )
    train.add_argument("--out", type=Path, default=Path("runs/edged-nano"), help="where checkpoints go")
    budget = train.add_mutually_exclusive_group()
    budget.add_argument("--hours", type=_above_zero(float), default=8.0, help="train this long (8)")
    budget.add_argument("--steps", type=_above_zero(int), help="or this many steps, exactly repeatable on one machine")
    begin = train.add_mutually_exclusive_group()
    begin.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    begin.add_argument("--begin-with", type=Path, metavar="MODEL", help="improve an exported model, at a gentle rate")
    train.add_argument("--seed", type=int, default=1, help="a training that goes on keeps its own (1)")
    train.add_argument("--processes", type=_above_zero(int), default=os.cpu_count(), help="one a core if not said")

    average = commands.add_parser("average", help="one checkpoint out of several of one training")
    average.add_argument("checkpoints", type=Path, nargs="+", help="checkpoints, of which each counts the same")
    average.add_argument("--out", type=Path, required=True, help="the checkpoint to write, to measure and export")

    measure = commands.add_parser("measure", help="average precision of a checkpoint on labelled pictures")
    measure.add_argument("--checkpoint", type=Path, required=True)
    measure.add_argument("--photos", type=Path, help="measure on this folder's holdout")
    measure.add_argument("--yolo", type=Path, help="measure on a folder with images/ and labels/, fully labelled")

    export = commands.add_parser("export", help="write onnx and ncnn files and compare them with the checkpoint")
    export.add_argument("--checkpoint", type=Path, required=True)
    export.add_argument("--out", type=Path, required=True, help="a folder for the files")
    export.add_argument("--golden", type=Path, required=True, help="a picture to ship with the answer to it")
    export.add_argument("--picture", type=Path, nargs="*", default=[], help="more pictures to compare engines on")
    return parser


def _above_zero(kind: type[float]) -> Callable[[str], float]:
    """Reads a number of this kind, and refuses 0 and less."""

    def number(text: str) -> float:
        value = kind(text)
        if not value > 0:
            raise argparse.ArgumentTypeError(f"{text} is not above 0")
        return value

    return number


def _teacher(options: argparse.Namespace, console: Console) -> None:
    from edged.optimize.teacher import import_teacher

    import_teacher(options.onnx, options.out)
    console.print(f"The teacher is in {options.out}.")


def _train(options: argparse.Namespace, console: Console) -> None:
    import torch

    from edged.optimize.photos import balanced, read_photos

    device = "cuda" if torch.cuda.is_available() else "cpu"
    crew_size = 1 if device == "cuda" else options.processes
    plan = _plan(options)
    budget = counted(options.steps, "step") if options.steps else counted(f"{options.hours:g}", "hour")
    console.print(f"Training on {device} with {crew_size} process(es), seed {plan.seed}, for {budget}.")
    photos = read_photos(options.photos, "train")
    if options.second_look:
        photos = _looked_over(photos, options.second_look, options.processes, console)
    photos = balanced(photos)
    console.print(
        f"{len(photos)} pictures (some twice) in memory; checkpoints go to {options.out / CHECKPOINT}.", soft_wrap=True
    )
    with TemporaryDirectory() as folder:
        order = Order(
            photos,
            options.teacher,
            plan,
            options.out,
            options.resume,
            options.begin_with,
            device,
            crew_size,
            f"{folder}/meeting",
        )
        peers = [
            multiprocessing.get_context("fork").Process(target=_work, args=(order, rank))
            for rank in range(1, crew_size)
        ]
        for peer in peers:
            peer.start()
        try:
            _work(order, 0, console)
        finally:
            for peer in peers:
                peer.terminate()


def _plan(options: argparse.Namespace) -> Plan:
    from edged.optimize.trainer import Plan, plan_of

    plan = Plan(hours=None if options.steps else options.hours, steps=options.steps, seed=options.seed)
    if options.begin_with:
        return replace(plan, peak_rate=GENTLE_RATE, sizes=((0.0, 256), (0.25, 320)), head_alone=0.05)
    return plan_of(options.out / CHECKPOINT, budget=plan) if options.resume else plan


def _looked_over(photos: list[Photo], folder: Path, processes: int, console: Console) -> list[Photo]:
    from edged.optimize.second_look import NAME, look_again, look_with
    from edged.optimize.teacher import files_in

    files_in(folder, name=NAME)  # one that is missing is told here, not by another process

    with console.status("A second look at every picture: some minutes."):
        more = look_again(photos, partial(look_with, folder), processes=processes)
    added = sum(len(photo.xyxy) for photo in more) - sum(len(photo.xyxy) for photo in photos)
    console.print(f"A second look found {counted(added, 'object')} that nobody had boxed.")
    return more


def _work(order: Order, rank: int, console: Console | None = None) -> None:
    """One process of the crew, from its first batch to its last."""
    import torch

    from edged.optimize.batches import Batches, stream
    from edged.optimize.crew import Crew
    from edged.optimize.report import Bar
    from edged.optimize.teacher import Teacher
    from edged.optimize.trainer import Trainer

    if order.crew_size > 1:
        torch.set_num_threads(1)
    crew = Crew(rank=rank, size=order.crew_size, meeting_place=order.meeting_place)
    trainer = Trainer(order.plan, device=order.device, clock=SystemClock(), crew=crew)
    if order.resume:
        trainer.resume(order.out / CHECKPOINT)
    batches = Batches(
        order.photos,
        partial(Teacher, order.teacher),
        size_px=trainer.size_px,
        natural=trainer.natural,
        batch=order.plan.batch,
        seed=(order.plan.seed, rank),
        start=trainer.progress.step,
    )
    if order.begin_with:
        trainer.begin_with(order.begin_with, batches.pictures(PICTURES_TO_SETTLE, seed=order.plan.seed))
    workers = 0 if order.device == "cpu" else os.cpu_count() or 1
    with Bar(console) as bar:
        trainer.run(stream(batches, workers=workers), checkpoint=order.out / CHECKPOINT, tell=bar)
    crew.leave()


def _average(options: argparse.Namespace, console: Console) -> None:
    from edged.optimize.trainer import save_average

    save_average(options.checkpoints, options.out)
    console.print(f"{options.out} holds the mean of {len(options.checkpoints)} checkpoints.", soft_wrap=True)


def _measure(options: argparse.Namespace, console: Console) -> None:
    from edged.optimize.engines import in_torch
    from edged.optimize.release import SIZE_PX, deployed
    from edged.optimize.report import precision_table
    from edged.optimize.trials import holdout_trials, measure, yolo_trials

    raw = in_torch(deployed(options.checkpoint))
    for folder, trials in ((options.photos, holdout_trials), (options.yolo, yolo_trials)):
        if folder is not None:
            console.print(precision_table(str(folder), measure(raw, trials(folder), size_px=SIZE_PX)))


def _export(options: argparse.Namespace, console: Console) -> None:
    from edged.optimize.release import release

    for line in release(options.checkpoint, options.out, golden=options.golden, others=options.picture):
        console.print(line)


if __name__ == "__main__":
    sys.exit(main())

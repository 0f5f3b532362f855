"""Trains for real, on synthetic pictures, ten steps. Needs torch: scripts/env optimize."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="no torch here: scripts/env optimize makes an environment that has it")

from edged.domain.coco import COCO80
from edged.domain.frame import BgrImage
from edged.errors import ModelNotFound
from edged.optimize import grid
from edged.optimize.batches import Batches, stream
from edged.optimize.grid import Floats
from edged.optimize.train_builtin import _parser, _plan, main
from edged.optimize.trainer import CheckpointError, Plan, Progress, Trainer, averaged_network, plan_of, save_average
from edged.testing.clock import FakeClock
from tests.unit.optimize.pictures import block_photo

PHOTOS = [block_photo(seed) for seed in range(8)]
WHITE, BLACK = (
    replace(
        block_photo(1),
        image=np.full((120, 160, 3), level, np.uint8),
        xyxy=np.empty((0, 4), np.float32),
        class_id=np.empty(0, np.int32),
    )
    for level in (255, 0)
)
PLAN = Plan(steps=10, batch=4, sizes=((0.0, 64), (0.5, 128)), checkpoint_every_s=1e9)


class BlindTeacher:
    """Sees nothing: what there is to learn are the annotated boxes."""

    def look(self, image: BgrImage) -> tuple[Floats, Floats]:
        cells = len(grid.cells(image.shape[1], image.shape[0])[0])
        return np.full((len(COCO80), cells), 0.01, np.float32), np.full((32, cells), 1 / 8, np.float32)


def trainer() -> Trainer:
    return Trainer(PLAN, device="cpu", clock=FakeClock())


def batches_for(one: Trainer) -> Iterator[tuple[Any, Any, Any]]:
    source = Batches(
        PHOTOS,
        BlindTeacher,
        size_px=one.size_px,
        natural=one.natural,
        batch=PLAN.batch,
        seed=(1, 0),
        start=one.progress.step,
    )
    return stream(source, workers=0)


@pytest.mark.slow
def test_ten_steps_of_training_lower_the_loss_and_leave_a_checkpoint(tmp_path: Path) -> None:
    one, losses, sizes, natural = trainer(), [], [], []

    def tell(progress: Progress) -> None:
        losses.append(progress.parts["loss"])
        sizes.append(one.size_px.value)
        natural.append(bool(one.natural.value))

    one.run(batches_for(one), checkpoint=tmp_path / "one.pt", tell=tell)
    assert len(losses) == 10
    assert np.isfinite(losses).all()
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    assert sizes[0] == 64
    assert sizes[-1] == 128
    assert natural == [False] * 7 + [True] * 3
    logits, sides = averaged_network(tmp_path / "one.pt")(torch.zeros(1, 3, 128, 128))
    assert logits.shape == (1, 81, 256 + 64 + 16 + 4)
    assert sides.shape == (1, 32, 256 + 64 + 16 + 4)


@pytest.mark.slow
def test_a_training_that_was_stopped_goes_on_as_if_it_had_not(tmp_path: Path) -> None:
    whole = trainer()
    whole.run(batches_for(whole), checkpoint=tmp_path / "whole.pt", tell=lambda _: None)

    first = trainer()
    source = batches_for(first)
    for _ in range(4):
        first.step(next(source))
        first.progress.share = PLAN.share(step=first.progress.step, spent_s=0)
        first.size_px.value = PLAN.size_px(first.progress.share)
    first.save(tmp_path / "half.pt")
    second = trainer()
    second.resume(tmp_path / "half.pt")
    second.run(batches_for(second), checkpoint=tmp_path / "half.pt", tell=lambda _: None)

    ours, theirs = (averaged_network(tmp_path / name).state_dict() for name in ("whole.pt", "half.pt"))
    for name, value in ours.items():
        torch.testing.assert_close(value, theirs[name], rtol=1e-4, atol=1e-5, msg=name)


def test_a_finished_training_goes_on_when_it_is_given_more(tmp_path: Path) -> None:
    one = trainer()
    one.progress.step, one.progress.share = PLAN.steps or 0, 1.0
    assert one.done
    one.save(tmp_path / "one.pt")
    longer = Trainer(replace(PLAN, steps=40), device="cpu", clock=FakeClock())
    longer.resume(tmp_path / "one.pt")
    assert not longer.done
    assert longer.progress.share == pytest.approx(0.25)


def test_a_training_goes_on_under_the_plan_that_it_began_with(tmp_path: Path) -> None:
    gentle = replace(PLAN, peak_rate=6e-4, head_alone=0.05)
    Trainer(gentle, device="cpu", clock=FakeClock()).save(tmp_path / "gentle.pt")
    plan = plan_of(tmp_path / "gentle.pt", budget=Plan(hours=3.0))
    assert plan == replace(gentle, hours=3.0, steps=None)


def test_resume_takes_the_plan_from_the_checkpoint_and_the_budget_from_the_command(tmp_path: Path) -> None:
    gentle = replace(PLAN, peak_rate=6e-4)
    Trainer(gentle, device="cpu", clock=FakeClock()).save(tmp_path / "checkpoint.pt")
    words = ["train", "--photos", "P", "--teacher", "T", "--out", str(tmp_path), "--hours", "5"]
    plain, resumed = (_plan(_parser().parse_args([*words, *more])) for more in ([], ["--resume"]))
    assert resumed == replace(gentle, hours=5.0, steps=None)
    assert plain == Plan(hours=5.0)


def test_a_second_look_by_a_folder_without_a_model_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.csv").write_text("file,split,source,gt_scope\n")
    words = ["train", "--photos", str(tmp_path), "--teacher", "T", "--out", str(tmp_path / "out")]
    assert main([*words, "--second-look", str(tmp_path / "empty"), "--processes", "1"]) == ModelNotFound.exit_code
    assert "picodet-s-416.param" in capsys.readouterr().out.replace("\n", "")


def test_a_checkpoint_without_a_plan_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    torch.save({"progress": {}}, tmp_path / "old.pt")
    with pytest.raises(CheckpointError, match=r"old\.pt"):
        plan_of(tmp_path / "old.pt", budget=PLAN)


@pytest.mark.parametrize(
    "content", [b"", bytes(100), b"a letter", b"PK\x03\x04" + bytes(50), Path(__file__).read_bytes()]
)
def test_a_file_that_is_no_checkpoint_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "odd.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"odd\.pt"):
        averaged_network(tmp_path / "odd.pt")


@pytest.mark.parametrize("state", [{}, {"average": 3}, {"average": {"weight": torch.zeros(2)}}, [1]])
def test_a_checkpoint_of_something_else_is_named(state: object, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "odd.pt")
    with pytest.raises(CheckpointError, match=r"odd\.pt"):
        averaged_network(tmp_path / "odd.pt")
    with pytest.raises(CheckpointError, match=r"odd\.pt"):
        Trainer(PLAN, device="cpu", clock=FakeClock()).resume(tmp_path / "odd.pt")


def test_a_file_that_is_not_there_is_told_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["teacher", "--onnx", str(tmp_path / "no.onnx"), "--out", str(tmp_path / "out")]) == 1
    assert "no.onnx" in capsys.readouterr().out.replace("\n", "")


@pytest.mark.parametrize("words", [["--steps", "0"], ["--hours", "0"], ["--hours", "nan"], ["--processes", "0"]])
def test_a_training_of_nothing_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--photos", "P", "--teacher", "T", *words])
    assert "is not above 0" in capsys.readouterr().err


def test_batches_are_of_natural_views_when_the_training_says_so() -> None:
    def mixed_views(*, natural: bool) -> int:
        looked_at: list[BgrImage] = []

        class Witness(BlindTeacher):
            def look(self, image: BgrImage) -> tuple[Floats, Floats]:
                looked_at.append(image.copy())
                return super().look(image)

        one = trainer()
        one.natural.value = natural
        next(iter(Batches([WHITE, BLACK], Witness, size_px=one.size_px, natural=one.natural, batch=32, seed=(1, 0))))
        return sum(bool((view > 200).any() and (view < 50).any()) for view in looked_at)

    assert mixed_views(natural=False) > 0
    assert mixed_views(natural=True) == 0


def test_the_average_of_checkpoints_lies_in_their_middle(tmp_path: Path) -> None:
    for name, seed in (("one.pt", 1), ("two.pt", 2)):
        Trainer(replace(PLAN, seed=seed), device="cpu", clock=FakeClock()).save(tmp_path / name)
    save_average([tmp_path / "one.pt", tmp_path / "two.pt"], tmp_path / "mean.pt")
    one, two, mean = (averaged_network(tmp_path / name).state_dict() for name in ("one.pt", "two.pt", "mean.pt"))
    assert any((one[name] != two[name]).any() for name in one)
    for name, value in mean.items():
        torch.testing.assert_close(value.double(), (one[name].double() + two[name].double()) / 2, msg=name)


def test_a_damaged_checkpoint_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "broken.pt").write_bytes(b"PK\x03\x04 no checkpoint")
    with pytest.raises(CheckpointError, match=r"broken\.pt"):
        averaged_network(tmp_path / "broken.pt")


def test_the_learning_rate_rises_shortly_and_ends_low() -> None:
    rates = [PLAN.rate(share) for share in np.linspace(0, 1, 101)]
    assert rates[0] < PLAN.peak_rate / 10
    assert max(rates) == pytest.approx(PLAN.peak_rate)
    assert rates[-1] == pytest.approx(PLAN.last_rate)
    assert 2 <= int(np.argmax(rates)) <= 4
    assert (np.diff(rates[4:]) < 0).all()


def test_hours_count_only_the_time_spent_training() -> None:
    plan = Plan(hours=2.0)
    assert plan.share(step=999, spent_s=3600) == pytest.approx(0.5)
    assert plan.share(step=0, spent_s=9000) == 1.0

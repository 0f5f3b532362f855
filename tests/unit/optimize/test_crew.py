import multiprocessing
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="no torch here: scripts/env optimize makes an environment that has it")

from edged.optimize.crew import Crew, alone


def take_part(rank: int, meeting_place: str, answers: Any) -> None:
    crew = Crew(rank=rank, size=2, meeting_place=meeting_place)
    tensors = [torch.full((2, 3), float(rank)), torch.tensor([10.0 * rank])]
    number = crew.mean(tensors, 100.0 + rank)
    crew.leave()
    answers.put((rank, [each.tolist() for each in tensors], number))


@pytest.mark.slow
def test_two_processes_end_up_with_the_mean_of_what_both_had(tmp_path: Path) -> None:
    processes = multiprocessing.get_context("spawn")
    answers = processes.Queue()
    peers = [processes.Process(target=take_part, args=(rank, str(tmp_path / "meet"), answers)) for rank in (0, 1)]
    for peer in peers:
        peer.start()
    found = sorted(answers.get(timeout=60) for _ in peers)
    for peer in peers:
        peer.join()
    assert [tensors for _, tensors, _ in found] == [[[[0.5] * 3] * 2, [5.0]]] * 2
    assert [number for _, _, number in found] == [100.5, 100.5]


def test_a_crew_of_one_keeps_what_it_has() -> None:
    tensor = torch.tensor([1.0, 2.0])
    assert alone().mean([tensor], 7.0) == 7.0
    assert tensor.tolist() == [1.0, 2.0]

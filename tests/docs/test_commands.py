from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from edged import errors
from edged.cli.main import app
from tests.docs.documents import ROOT, fenced

DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = [
    line.removeprefix("$ ")
    for document in DOCUMENTS
    for block in fenced(document, "console")
    for line in block.splitlines()
    if line.startswith("$ ")
]


def names() -> set[str]:
    """Every command, as people type it."""
    found = set()
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found |= {f"edged {name} {sub}" for sub in inner} if inner else {f"edged {name}"}
    return found


def parse(arguments: list[str]) -> None:
    """Read a command's options as the command line would, and do nothing."""
    command = get_command(app)
    while hasattr(command, "commands") and arguments and not arguments[0].startswith("-"):
        command = command.commands[arguments[0]]
        arguments = arguments[1:]
    try:
        command.make_context("edged", list(arguments)).close()
    except typer.Exit:  # --help and --version
        return


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_in_the_documents_can_be_typed(line: str) -> None:
    words = shlex.split(re.split(r" [|>&]", line)[0])
    program = words[0].removeprefix(".venv/bin/")
    if program == "edged":
        parse(words[1:])
    elif program.startswith(("./", "scripts/")):
        assert os.access(ROOT / program, os.X_OK), f"{program} is not there, or cannot be run"


def test_a_command_with_a_wrong_option_would_be_noticed() -> None:
    with pytest.raises(Exception, match="--sinse"):
        parse(["events", "--sinse", "today"])


def test_every_command_has_its_chapter() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    chapters = set(re.findall(r"^## (edged .*)$", text, re.MULTILINE))
    assert chapters == names()
    assert all(f"[`{name}`]" in text for name in names())


def test_every_exit_code_is_explained() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| (\d+) \|", text, re.MULTILINE))
    codes = {
        str(kind.exit_code) for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")
    }
    assert codes <= explained


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_to_other_files_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text(encoding="utf-8"))
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert not missing


def anchors(document: Path) -> set[str]:
    """The names by which headings are linked to, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_to_headings_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([\w./-]*)#([^)]+)\)", document.read_text(encoding="utf-8"))
    missing = [link for link in links if link[1] not in anchors(document.parent / link[0] if link[0] else document)]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_tests_that_a_document_names_are_there(document: Path) -> None:
    named = re.findall(r"`(tests/[\w./]+)(?:::(\w+))?`", document.read_text(encoding="utf-8"))
    assert [file for file, _ in named if not (ROOT / file).exists()] == []
    assert [name for file, name in named if name and f"def {name}(" not in (ROOT / file).read_text()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_benchmarks_that_a_document_names_are_there(document: Path) -> None:
    named = set(re.findall(r"scripts/bench ([a-z]\w*)", document.read_text(encoding="utf-8")))
    assert named <= {file.stem for file in (ROOT / "scripts" / "benchmarks").glob("*.py")}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_experiments_that_a_document_names_are_there(document: Path) -> None:
    named = set(re.findall(r"scripts/lab (\w+)", document.read_text(encoding="utf-8")))
    cases = re.findall(r"^  ([a-z |]+)\)", (ROOT / "scripts" / "lab").read_text(encoding="utf-8"), re.MULTILINE)
    assert named <= {name for case in cases for name in case.split(" | ")}

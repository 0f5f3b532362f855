"""Where the documents lie, and how to take them apart."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def fenced(document: Path, language: str) -> list[str]:
    """The contents of the document's ```language blocks; "" for blocks without a language."""
    text = document.read_text(encoding="utf-8")
    return [
        body
        for kind, body in re.findall(r"^```([a-z]*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
        if kind == language
    ]

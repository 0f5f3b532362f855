"""Opens a camera once and says how it went, as JSON.

python -m scripts.laboratory.experiments.refusal DEVICE
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path

from edged.clock import SystemClock
from edged.errors import SourceError
from scripts.laboratory.experiments.camera import open_camera


def main() -> None:
    """Open, and print the error or its absence."""
    try:
        with closing(open_camera(Path(sys.argv[1]), SystemClock())) as camera:
            camera.open()
            answer = {"error": None, "message": str(camera.mode), "hint": ""}
    except SourceError as error:
        answer = {"error": type(error).__name__, "message": error.message, "hint": error.hint}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()

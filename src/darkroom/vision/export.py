"""Makes OpenVINO exports of checkpoints, in a process of its own: torch and what it takes of the
memory (400 MB) are gone with it.

    python -m darkroom.vision.export WEIGHTS FOLDER CACHE_DIR
"""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

from darkroom.errors import Permanent
from darkroom.vision.runtime import prepare
from darkroom.vision.weights import read_facts

MADE = "export"
"""The folder of the export, in the one that is given."""
TAIL = 1000


def export_aside(weights: Path, folder: Path, cache_dir: Path) -> Path:
    """Export a checkpoint into a folder, in another process; answers where it lies.

    Raises
    ------
    Permanent
        When it cannot be exported.
    """
    command = [sys.executable, "-m", __name__, str(weights), str(folder), str(cache_dir)]
    ran = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
    if ran.returncode != 0:
        said = ran.stderr.decode(errors="replace").strip()[-TAIL:]
        raise Permanent(f"{weights.name} cannot be prepared for this machine: {said}")
    return folder / MADE


def export(weights: Path, folder: Path, cache_dir: Path) -> None:
    """Export a checkpoint into a folder, with what it says about itself."""
    prepare(cache_dir)
    from ultralytics.models import YOLO

    facts = read_facts(weights)
    copy = Path(shutil.copyfile(weights, folder / "model.pt"))
    made = Path(
        YOLO(str(copy), task=facts.task, verbose=False).export(
            format="openvino", imgsz=facts.side, dynamic=True, verbose=False
        )
    )
    (made / "facts.json").write_text(json.dumps(dataclasses.asdict(facts)))
    made.rename(folder / MADE)


if __name__ == "__main__":
    export(*map(Path, sys.argv[1:4]))

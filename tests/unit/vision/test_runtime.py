"""Importing vision is cheap; preparing it makes torchvision and ultralytics importable."""

import subprocess
import sys
from pathlib import Path

CHEAP = (
    "import sys, darkroom.vision; sys.exit(bool({'torch', 'cv2', 'openvino'} & set(sys.modules)))"
)
MENDED = """
import sys
from pathlib import Path
from darkroom.vision.runtime import prepare
prepare(Path(sys.argv[1]), threads=1)
import torch, torchvision
boxes = torch.tensor([[0.0, 0, 10, 10], [1, 1, 10, 10], [20, 20, 30, 30]])
print(torchvision.ops.nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5).tolist())
from ultralytics.utils import torch_utils
print(torch_utils.NUM_THREADS)
"""


def test_importing_vision_loads_no_model_library() -> None:
    assert subprocess.run([sys.executable, "-c", CHEAP], check=False).returncode == 0


def test_torchvision_works_beside_this_torch_and_nothing_is_written_at_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", MENDED, str(tmp_path / "config")],
        env={"HOME": str(home), "PATH": ""}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-2:] == ["[0, 2]", "1"]
    assert not list(home.rglob("*ltralytics*"))

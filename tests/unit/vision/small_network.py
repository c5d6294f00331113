"""A super-resolution network like Real-ESRGAN's small one, only far smaller, as ncnn's files."""

from hashlib import sha256
from pathlib import Path

import numpy as np

from darkroom.vision.esrgan import Source

NAME = "small"
CHANNELS = 7
"""Odd, so that weights do not end with a whole word."""

PARAM = f"""7767517
8 9
Input         data   0 1 data
Split         split  1 2 data a b
Convolution   one    1 1 a c 0={CHANNELS} 1=3 4=1 5=1 6={CHANNELS * 27}
PReLU         bend   1 1 c d 0={CHANNELS}
Convolution   two    1 1 d e 0=48 1=3 4=1 5=1 6={CHANNELS * 48 * 9}
PixelShuffle  spread 1 1 e f 0=4
Interp        large  1 1 b g 0=1 1=4.0 2=4.0
BinaryOp      sum    2 1 f g out
"""


def write(folder: Path) -> Source:
    """Write the files; answers what `esrgan.MODELS` would say of them."""
    numbers = _numbers()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAME}.param").write_text(PARAM)
    (folder / f"{NAME}.bin").write_bytes(numbers)
    return Source(NAME, sha256(PARAM.encode()).hexdigest(), sha256(numbers).hexdigest())


def _numbers() -> bytes:
    random = np.random.default_rng(5)

    def convolution(inputs: int, outputs: int) -> bytes:
        weights = random.normal(0, 0.06, inputs * outputs * 9).astype("<f2").tobytes()
        padded = weights + bytes(-len(weights) % 4)
        return 0x01306B47.to_bytes(4, "little") + padded + bytes(4 * outputs)

    slopes = random.uniform(0, 0.3, CHANNELS).astype("<f4").tobytes()
    return convolution(3, CHANNELS) + slopes + convolution(CHANNELS, 48)

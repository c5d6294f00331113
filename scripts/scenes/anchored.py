"""Pictures with a label, and edits of them that keep or lose what a Smart Anchor holds fast."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from darkroom.sandbox.pictures import editing, light, scenes, styles

Pixels = NDArray[np.uint8]
Edit = Callable[[Pixels], Pixels]

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"
SCENES = ("wood", "beach", "forest", "city", "marble", "studio")
SIZE = (960, 720)
TEXTS = (
    ("Jardín Botánico", "Abono orgánico 250 g", "Lote 4711"),
    ("Piñón & Cía", "Café molido 1 kg", "Calle Mayor 12"),
    ("Green Valley", "Fresh lemon juice", "500 ml"),
)
WRONG_TEXTS = (
    ("Jardín Botánico", "Abnoo orqanizo 280 q", "Lote 4711"),
    ("Piñón & Cía", "Cofe nolibo 1 kg", "Calle Mayor 12"),
    ("Green Valley", "Frosh lomen jiuce", "500 ml"),
)


def picture(seed: int, texts: Sequence[str] | None = None) -> Pixels:
    """A scene with things in it and a label (960 by 720); the label's texts follow from the seed.

    Parameters
    ----------
    texts : what the label says instead; everything else stays the same
    """
    rng = np.random.default_rng(seed)
    ground = scenes.scene(SCENES[seed % len(SCENES)], *SIZE, rng)
    image = Image.fromarray(_grained(np.ascontiguousarray(ground), rng))
    pen = ImageDraw.Draw(image)
    _strew(pen, rng)
    _label(pen, rng, TEXTS[seed % len(TEXTS)] if texts is None else texts)
    return np.asarray(image)


def product(seed: int, side: int = 360) -> Pixels:
    """A pack with a pattern and a name of its own, as a reference picture (square)."""
    rng = np.random.default_rng(9_000 + seed)
    image = Image.new("RGB", (side, side), _colour(rng))
    pen = ImageDraw.Draw(image)
    for _ in range(35):
        x, y = rng.integers(0, side, 2).tolist()
        reach = int(rng.integers(8, side // 5))
        shape = pen.ellipse if rng.random() < 0.5 else pen.rectangle
        shape((x, y, x + reach, y + reach), fill=_colour(rng))
    name = "".join(chr(65 + int(letter)) for letter in rng.integers(0, 26, 6))
    pen.text((30, side // 2 - 30), name, font=_font(52), fill="white", stroke_width=3,
             stroke_fill="black")  # fmt: skip
    return _grained(np.asarray(image), rng)


def shown(thing: Pixels, scene: Pixels, seed: int) -> Pixels:
    """The scene with the thing somewhere in it: smaller, turned, seen from a side, relit."""
    rng = np.random.default_rng(seed)
    side, height, width = thing.shape[0], *scene.shape[:2]
    reach = side * float(rng.uniform(0.5, 1.0))
    corner = rng.uniform(0.05, 0.25, 2) * (width, height)
    turn = cv2.getRotationMatrix2D((reach / 2, reach / 2), float(rng.uniform(-18, 18)), 1)
    square = np.array([(0, 0), (reach, 0), (reach, reach), (0, reach)])
    corners = (
        square @ turn[:, :2].T + turn[:, 2] + corner + rng.uniform(-0.06, 0.06, (4, 2)) * reach
    )
    flat = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, corners.astype(np.float32))
    toned = light.toned(thing, *rng.uniform(0.85, 1.15, 3).tolist())
    placed = cv2.warpPerspective(toned, matrix, (width, height), flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.ones((side, side), np.float32), matrix, (width, height))
    return editing.painted_where(scene, np.asarray(placed, np.uint8), np.asarray(mask, np.float32))


def compressed(pixels: Pixels, quality: int = 60) -> Pixels:
    """After being a JPEG."""
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])


def framed(pixels: Pixels, zoom: float = 1.0, turn: float = 0.0, across: float = 0.0) -> Pixels:
    """Seen nearer, turned (degrees) and shifted to a side (a share of the width)."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, zoom)
    matrix[0, 2] += across * width
    warped = cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(warped, np.uint8)


def hue_turned(pixels: Pixels, degrees: float) -> Pixels:
    """With all hues turned on the colour wheel."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(int) + round(degrees / 2)) % 180
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)


def _styled(name: str) -> Edit:
    return lambda pixels: styles.styled(pixels, name, np.random.default_rng(1))


CAREFUL: dict[str, Edit] = {
    "denoised": light.denoised,
    "compressed": compressed,
    "sharpened": light.sharpened,
    "blurred": lambda pixels: np.asarray(cv2.GaussianBlur(pixels, (0, 0), 1.0), np.uint8),
    "brighter": lambda pixels: light.toned(pixels, 1.12, 1.12, 1.12),
    "darker": lambda pixels: light.toned(pixels, 0.88, 0.88, 0.88),
    "smaller": lambda pixels: np.ascontiguousarray(
        cv2.resize(pixels, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA), np.uint8
    ),
    "cropped 4 %": lambda pixels: framed(pixels, zoom=1.04),
}
"""Edits that change nothing which any anchor holds fast."""

RECOLOURED: dict[str, Edit] = {
    "hue +40": lambda pixels: hue_turned(pixels, 40),
    "hue -60": lambda pixels: hue_turned(pixels, -60),
    "hue 180": lambda pixels: hue_turned(pixels, 180),
    "warm cast": lambda pixels: light.toned(pixels, 1.25, 1.0, 0.7),
    "cold cast": lambda pixels: light.toned(pixels, 0.75, 1.0, 1.3),
    "sepia": _styled("sepia"),
    "pop": _styled("pop"),
}
REFRAMED: dict[str, Edit] = {
    "mirrored": lambda pixels: np.ascontiguousarray(pixels[:, ::-1]),
    "upside down": lambda pixels: np.ascontiguousarray(pixels[::-1, ::-1]),
    "zoom 1.5": lambda pixels: framed(pixels, zoom=1.5),
    "zoom 2": lambda pixels: framed(pixels, zoom=2.0),
    "turned 15": lambda pixels: framed(pixels, turn=15),
    "shifted 20 %": lambda pixels: framed(pixels, across=0.2),
}


def _strew(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    for _ in range(50):
        x, y, reach = rng.integers((0, 0, 10), (*SIZE, 60)).tolist()
        pen.polygon([(x, y), (x + reach, y + reach // 3), (x + reach // 2, y + reach)],
                    fill=_colour(rng))  # fmt: skip


def _label(pen: ImageDraw.ImageDraw, rng: np.random.Generator, texts: Sequence[str]) -> None:
    left, top = int(rng.integers(60, 260)), int(rng.integers(60, 260))
    pen.rectangle((left, top, left + 640, top + 330), fill=(240, 236, 222))
    for line, text in enumerate(texts):
        pen.text((left + 30, top + 25 + 100 * line), text, font=_font(42), fill=(35, 50, 40))


def _grained(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return (pixels + rng.normal(0, 6, pixels.shape)).clip(0, 255).astype(np.uint8)


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = rng.integers(20, 235, 3).tolist()
    return red, green, blue


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT), size)

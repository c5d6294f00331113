"""Making a picture from words alone: a ground, perhaps somebody or something on it, a style."""

import numpy as np
from PIL import Image, ImageFilter

from darkroom.sandbox.pictures import figures, scenes, styles, wishes
from darkroom.sandbox.pictures.pixels import Pixels, clipped, resized
from darkroom.sandbox.pictures.wishes import Colour, Wishes

LARGEST_SIDE = 1024
"""Larger ones are drawn at this size and scaled up."""
GROUND_OF = {"people": "meadow", "portrait": "studio", "plant": "studio", "product": "studio"}
SHARE_OF = {"people": 0.74, "portrait": 0.92, "plant": 0.74, "product": 0.74}
ANY = ("mountains", "meadow", "beach", "sunset", "forest", "abstract", "abstract")


def made(prompt: str, width: int, height: int, seed: int) -> Pixels:
    """A picture of that size. The same prompt, size and seed make the same one."""
    scale = min(1.0, LARGEST_SIDE / max(width, height))
    small = max(16, round(width * scale)), max(16, round(height * scale))
    wish, rng = wishes.read(prompt), np.random.default_rng(seed)
    pixels = _ground(wish, *small, rng)
    if wish.subject:
        pixels = _standing(pixels, wish, rng)
    for style in wish.styles:
        pixels = styles.styled(pixels, style, rng)
    return resized(pixels, width, height)


def _ground(wish: Wishes, width: int, height: int, rng: np.random.Generator) -> Pixels:
    if wish.ground in wishes.COLOURS:
        return scenes.plain(wishes.colour(wish.ground), width, height)
    usual = GROUND_OF.get(wish.subject) or ANY[int(rng.integers(len(ANY)))]
    name = wish.ground or wish.scene or usual
    if name == "abstract":
        return _abstract(_palette(wish, rng), width, height, rng)
    return scenes.scene(name, width, height, rng)


def _standing(pixels: Pixels, wish: Wishes, rng: np.random.Generator) -> Pixels:
    """The ground with the subject on it, and the subject's shadow."""
    height, width = pixels.shape[:2]
    side = round(SHARE_OF[wish.subject] * min(width, height))
    drawn = figures.figure(wish.subject, side, rng, _colours(wish))
    rest = 0.0 if wish.subject == "portrait" else 0.07
    left, top = (width - side) // 2, round(height * (1 - rest)) - side
    image = Image.fromarray(pixels).convert("RGBA")
    if wish.subject != "portrait":
        image.alpha_composite(_shadow(drawn, width, height, left, top + side))
    image.alpha_composite(drawn, (left, max(top, 0)))
    return np.asarray(image.convert("RGB"))


def _shadow(drawn: Image.Image, width: int, height: int, left: int, foot: int) -> Image.Image:
    low = max(4, drawn.height // 12)
    flat = drawn.getchannel("A").resize((drawn.width, low))
    mask = Image.new("L", (width, height))
    mask.paste(flat.point(lambda value: value * 0.45), (left, foot - low // 2))
    mask = mask.filter(ImageFilter.GaussianBlur(low / 3))
    shadow = Image.new("RGBA", (width, height), (30, 26, 24, 0))
    shadow.putalpha(mask)
    return shadow


def _colours(wish: Wishes) -> list[Colour]:
    """The colours that are named, but for the ground's."""
    return [wishes.colour(name) for name in wish.colours if name != wish.ground]


def _palette(wish: Wishes, rng: np.random.Generator) -> list[Colour]:
    """Four colours: those that are named, and their neighbours."""
    named = _colours(wish)
    start = float(rng.uniform(0, 1))
    wheel = [_hue((start + step) % 1, rng) for step in (0.0, 0.08, 0.16, 0.55)]
    return [*named, *wheel][:4]


def _hue(hue: float, rng: np.random.Generator) -> Colour:
    phases = np.cos(2 * np.pi * (hue + np.array((0.0, 0.33, 0.67))))
    red, green, blue = (150 + 72 * phases + rng.uniform(-12, 12, 3)).clip(0, 255).round().tolist()
    return int(red), int(green), int(blue)


def _abstract(palette: list[Colour], width: int, height: int, rng: np.random.Generator) -> Pixels:
    """Layers of folded noise, one over the other like cut paper."""
    layer = scenes.gradient(palette[0], palette[1], width, height)
    field = scenes.noise(width, height, rng, cells=2.2, octaves=3)
    for at, colour in enumerate((*palette[1:], palette[0])):
        level = 0.34 + 0.15 * at
        sheet = np.clip((field - level) * width / 6, 0, 1).astype(np.float32)
        shadow = np.clip((np.roll(field, width // 110, (0, 1)) - level) * 30, 0, 1)
        layer = layer * (1 - 0.2 * shadow[..., None].astype(np.float32))
        layer = scenes.blended(layer, colour, sheet)
    light = scenes.glow(width, height, 0.3, 0.2, 0.9)
    grain = rng.normal(0, 2, (height, width, 1))
    return clipped(layer * (0.86 + 0.2 * light[..., None]) + grain)

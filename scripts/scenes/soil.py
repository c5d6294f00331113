"""Textures: soil with its perlite, moss and algae, benches, plastic."""

import cv2
import numpy as np

from .truth import Floats, Image

_SOILS = ((38, 30, 26), (58, 44, 34), (28, 25, 24), (84, 66, 48), (70, 58, 52), (104, 84, 62))
_SPECKS = ((225, 220, 205), (205, 170, 110), (190, 130, 80), (150, 140, 125), (245, 245, 240))
_BENCHES = (
    (222, 228, 224), (176, 178, 176), (120, 118, 112), (96, 74, 54), (52, 54, 56), (30, 30, 32),
    (140, 128, 108), (168, 146, 112), (205, 214, 214), (64, 82, 66), (92, 108, 126),
)  # fmt: skip


def noise(rng: np.random.Generator, size: tuple[int, int], grain: float) -> Floats:
    """Smooth noise of about unit variance, (H, W), whose blobs are `grain` pixels wide."""
    width, height = size
    small = (max(2, round(height / grain) + 2), max(2, round(width / grain) + 2))
    field = rng.standard_normal(small).astype(np.float32)
    return cv2.resize(field, size, interpolation=cv2.INTER_CUBIC)


def tint(field: Floats, colour: tuple[int, int, int], strength: float) -> Floats:
    """A colour plane (H, W, 3) that `field` makes lighter and darker by `strength`."""
    gain = np.clip(1 + strength * field, 0.1, 2.5)
    return gain[..., None] * np.asarray(colour, np.float32)


def draw_soil(rng: np.random.Generator, size: tuple[int, int], scale: float) -> Floats:
    """Soil (H, W, 3) with specks, moss and algae; `scale` is pixels per speck."""
    grain = max(1.0, scale)
    field = 0.6 * noise(rng, size, grain) + 0.4 * noise(rng, size, grain * 12)
    ground = tint(field, _SOILS[rng.integers(len(_SOILS))], rng.uniform(0.2, 0.5))
    for _ in range(int(rng.integers(0, 4))):
        lay_specks(rng, ground, grain * float(rng.uniform(0.8, 2.2)))
    if rng.random() < 0.45:
        lay_moss(rng, ground, grain)
    if rng.random() < 0.45:
        lay_algae(rng, ground, grain)
    return ground


def lay_specks(rng: np.random.Generator, ground: Floats, grain: float) -> None:
    """Perlite, bark or sand: sharp-edged bright blobs over `ground`, in place."""
    field = noise(rng, (ground.shape[1], ground.shape[0]), grain)
    where = field > rng.uniform(1.2, 2.2)
    colour = np.asarray(_SPECKS[rng.integers(len(_SPECKS))], np.float32)
    shade = rng.uniform(0.55, 1.1, (int(where.sum()), 1)).astype(np.float32)
    ground[where] = colour * shade


def lay_moss(rng: np.random.Generator, ground: Floats, grain: float) -> None:
    """Patches of moss: green, grainy, soft-edged, never plant-shaped; in place."""
    size = (ground.shape[1], ground.shape[0])
    patch = noise(rng, size, float(rng.uniform(25, 80)) * grain)
    cover = np.clip((patch - rng.uniform(0.2, 1.2)) * 2, 0, 1) * rng.uniform(0.4, 0.95)
    cover *= np.clip(0.6 + 0.5 * noise(rng, size, grain * 1.5), 0, 1)
    colour = tint(noise(rng, size, grain), leaf_tone(rng, 0.25, 0.6), 0.35)
    ground += cover[..., None] * (colour - ground)


def lay_algae(rng: np.random.Generator, ground: Floats, grain: float) -> None:
    """Clusters of bright green specks, as on wet soil between seedlings; in place."""
    size = (ground.shape[1], ground.shape[0])
    cluster = noise(rng, size, 30 * grain) > rng.uniform(0.0, 1.3)
    where = (noise(rng, size, grain * float(rng.uniform(0.8, 1.8))) > 1.0) & cluster
    shade = rng.uniform(0.6, 1.2, (int(where.sum()), 1)).astype(np.float32)
    ground[where] = np.asarray(leaf_tone(rng, 0.4, 0.8), np.float32) * shade


def leaf_tone(rng: np.random.Generator, dark: float, light: float) -> tuple[int, int, int]:
    """A green (R, G, B) with its brightness between `dark` and `light` of full."""
    hue, fill = rng.uniform(30, 70), rng.uniform(110, 230)
    pixel = np.array([[[hue, fill, 255 * rng.uniform(dark, light)]]], np.uint8)
    red, green, blue = cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0]
    return int(red), int(green), int(blue)


def draw_bench(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """What the containers stand on (H, W, 3): plain, gravel, planks, slats or a moulded floor."""
    colour = _BENCHES[rng.integers(len(_BENCHES))]
    unit = max(size) / 100
    field = noise(rng, size, unit * float(rng.uniform(8, 40)))
    if rng.random() < 0.5:
        field = 0.6 * field + 0.6 * noise(rng, size, max(1.0, unit * float(rng.uniform(0.1, 0.8))))
    ground = tint(field, colour, rng.uniform(0.02, 0.22))
    if rng.random() < 0.45:
        draw_slats(rng, ground, unit)
    return ground


def draw_slats(rng: np.random.Generator, ground: Floats, unit: float) -> None:
    """Lines of planks, slats or mould ribs across the bench, in place."""
    height, width = ground.shape[:2]
    pitch, thick = unit * rng.uniform(3, 18), max(1, round(unit * rng.uniform(0.2, 1.5)))
    shade = float(rng.uniform(0.3, 1.4))
    across = rng.random() < 0.5
    for at in np.arange(pitch / 2, height if across else width, pitch).astype(int):
        band = np.s_[at : at + thick, :] if across else np.s_[:, at : at + thick]
        ground[band] = ground[band] * shade


def to_image(ground: Floats) -> Image:
    """Colour planes clipped and rounded to bytes."""
    return np.clip(ground, 0, 255).astype(np.uint8)

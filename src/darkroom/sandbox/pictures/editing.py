"""Editing: a prompt's words become operations on the picture, in a fixed order.

Where a prompt names none of them, the seed alone makes a variation: another light, another crop.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from darkroom.sandbox.pictures import light, scenes, styles, wishes
from darkroom.sandbox.pictures.pixels import Mask, Pixels, clipped
from darkroom.sandbox.pictures.subject import subject
from darkroom.sandbox.pictures.wishes import Wishes

SHADOW = 0.42


def edited(prompt: str, pictures: Sequence[Pixels], seed: int) -> Pixels:
    """The first picture after the prompt; those beside it lend their colours. Deterministic."""
    wish, rng = wishes.read(prompt), np.random.default_rng(seed)
    pixels = pictures[0]
    if wish.denoise:
        pixels = light.denoised(pixels)
    if wish.light:
        pixels = light.relit(pixels, wish.light)
    for other in pictures[1:]:
        pixels = _coloured_like(pixels, other)
    if wish.sharpen:
        pixels = light.sharpened(pixels)
    if not _is_exact(wish):
        pixels = _varied(pixels, rng)
    for style in wish.styles:
        pixels = styles.styled(pixels, style, rng)
    return _grounded(pixels, pictures[0], wish, rng) if wish.ground else pixels


def painted_where(before: Pixels, after: Pixels, mask: Mask) -> Pixels:
    """The picture as it was, but for where the mask is 1."""
    mixed = before * (1 - mask[..., None]) + after * mask[..., None]
    return clipped(mixed)


def _is_exact(wish: Wishes) -> bool:
    """Whether the prompt says what to do, so that the seed need not."""
    return bool(wish.ground or wish.denoise or wish.light or wish.sharpen)


def _varied(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Another take: a little nearer, a little warmer, a little brighter."""
    height, width = pixels.shape[:2]
    zoom, turn = float(rng.uniform(1.03, 1.14)), float(rng.uniform(-2.5, 2.5))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, zoom)
    shift = np.zeros((2, 3))
    shift[:, 2] = rng.uniform(-0.03, 0.03, 2) * (width, height)
    moved, mirror = np.asarray(matrix) + shift, cv2.BORDER_REFLECT
    turned = cv2.warpAffine(pixels, moved, (width, height), borderMode=mirror)
    warmth, gain = float(rng.uniform(-0.07, 0.07)), float(rng.uniform(0.92, 1.1))
    toned = light.toned(
        np.asarray(turned, np.uint8), gain * (1 + warmth), gain, gain * (1 - warmth)
    )
    return light.saturated(toned, float(rng.uniform(0.9, 1.25)))


def _coloured_like(pixels: Pixels, other: Pixels) -> Pixels:
    """With the other's mean and spread of colours (Reinhard et al. 2001), two thirds of the way."""
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB).astype(np.float32)
    goal = cv2.cvtColor(other, cv2.COLOR_RGB2LAB).astype(np.float32).reshape(-1, 3)
    flat = lab.reshape(-1, 3)
    spread = np.clip(goal.std(0) / (flat.std(0) + 1e-3), 0.5, 2)
    moved = (lab - flat.mean(0)) * spread + goal.mean(0)
    mixed = clipped(lab / 3 + moved * 2 / 3)
    return np.asarray(cv2.cvtColor(mixed, cv2.COLOR_LAB2RGB), np.uint8)


def _grounded(pixels: Pixels, before: Pixels, wish: Wishes, rng: np.random.Generator) -> Pixels:
    """The subject on another ground."""
    height, width = pixels.shape[:2]
    mask = subject(before)
    if wish.ground in wishes.COLOURS:
        ground = scenes.plain(wishes.colour(wish.ground), width, height)
    else:
        ground = scenes.scene(wish.ground, width, height, rng)
    if wish.shadow or wish.ground not in wishes.COLOURS:
        ground = _shaded(ground, mask)
    return painted_where(ground, _without_fringe(pixels, mask), mask)


def _without_fringe(pixels: Pixels, mask: Mask) -> Pixels:
    """With the colours of the subject's inside spread over its edge: the old ground shines in."""
    inside = (mask > 0.95).astype(np.float32)
    weight = cv2.GaussianBlur(inside, (0, 0), 3)
    spread = cv2.GaussianBlur(pixels * inside[..., None], (0, 0), 3) / (weight[..., None] + 1e-4)
    edge = (np.clip((0.95 - mask) / 0.5, 0, 1) * np.clip(weight * 8, 0, 1))[..., None]
    return clipped(pixels * (1 - edge) + spread * edge)


def _shaded(ground: Pixels, mask: Mask) -> Pixels:
    """With the subject's shadow at its foot."""
    height, width = mask.shape
    rows = np.nonzero(mask.max(axis=1) > 0.5)[0]
    if len(rows) == 0:
        return ground
    foot, low = int(rows[-1]), max(1, height // 28)
    flat = cv2.resize(mask, (width, low * 2), interpolation=cv2.INTER_AREA)
    shadow = np.zeros((height + low * 4, width), np.float32)
    shadow[foot : foot + low * 2] = np.asarray(flat)
    soft = cv2.GaussianBlur(shadow, (0, 0), low * 0.8)[low : low + height]
    return clipped(ground * (1 - SHADOW * np.asarray(soft)[..., None]))

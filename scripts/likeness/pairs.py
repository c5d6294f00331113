"""The labelled pairs.

Same subject: `edit` (the sandbox edits the photo as the catalog's prompt asks: white background,
even light, less noise), `redraw` (a model that draws the thing anew on white: elsewhere, larger or
smaller, turned, in other light), `style` (the sandbox, other prompts: light, ground, mood, another
take). Another subject: `kin` (another thing of its family, redrawn or edited), `colour` (the thing
of another family whose colours are nearest), `swap` (another thing on the very same ground, in the
same place), `gone` (the ground without the thing), `other` (any other thing, redrawn).
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from darkroom.catalog import prompts
from darkroom.sandbox.pictures import working
from likeness import takes
from likeness.takes import Pixels, Place, Rng, Thing

STYLES = (
    "Same product, warm and cozy light.",
    "Remove noise and grain, improve the lighting.",
    "Make it vivid and colourful.",
    "Put it on a wooden table background, soft shadow.",
    "A cinematic look.",
    "Another take of this product.",
    "Light from the left on a grey background.",
    "A little cooler, sharper details.",
)
PIXELS = 512 * 512
Edit = Callable[["Shot", Thing, Rng], Pixels]


@dataclass(frozen=True)
class Pair:
    """Two pictures, what was done, and whether they show the same subject."""

    before: Pixels
    after: Pixels
    kind: str
    is_same: bool
    thing: Thing
    other: Thing


@dataclass(frozen=True)
class Shot:
    """A photo of a thing, and how it was made."""

    thing: Thing
    ground: Pixels
    place: Place
    pixels: Pixels


def pairs(things: Sequence[Thing], seed: int) -> Iterator[Pair]:
    """Ten pairs for each of the things; other subjects are other ones of them."""
    for number, thing in enumerate(things):
        yield from of(thing, things, np.random.default_rng((seed, number)))


def of(thing: Thing, every: Sequence[Thing], rng: Rng) -> Iterator[Pair]:
    """The pairs that begin with a photo of the thing."""
    for kind, is_same, other, edit in _plan(thing, every, rng):
        shot = shoot(thing, rng)
        yield Pair(shot.pixels, edit(shot, other, rng), kind, is_same, thing, other)


def shoot(thing: Thing, rng: Rng) -> Shot:
    """A photo of the thing somewhere."""
    size = takes.SIZES[int(rng.integers(len(takes.SIZES)))]
    on, place = takes.ground(size, rng), takes.somewhere(rng)
    return Shot(thing, on, place, takes.taken(takes.standing(thing, on, place), rng))


def _plan(thing: Thing, every: Sequence[Thing], rng: Rng) -> list[tuple[str, bool, Thing, Edit]]:
    kin = [each for each in every if each.family == thing.family and each.name != thing.name]
    rest = [each for each in every if each.family != thing.family]
    near = sorted(rest, key=lambda each: _colour_gap(thing, each))[:3]
    one = _one(kin, rng)
    return [
        ("edit", True, thing, _edited),
        ("redraw", True, thing, _redrawn),
        ("redraw", True, thing, _redrawn),
        ("style", True, thing, _styled),
        ("kin", False, one, _redrawn),
        ("kin", False, _one(kin, rng), _swapped_and_edited),
        ("colour", False, _one(near, rng), _redrawn),
        ("swap", False, _one(kin + near, rng), _swapped),
        ("gone", False, thing, _gone),
        ("other", False, _one(rest, rng), _redrawn),
    ]


def _edited(shot: Shot, thing: Thing, rng: Rng) -> Pixels:
    return _worked(shot.pixels, prompts.filled(prompts.DEFAULT, {"nombre": thing.name}), rng)


def _styled(shot: Shot, thing: Thing, rng: Rng) -> Pixels:
    return _worked(shot.pixels, str(rng.choice(STYLES)), rng)


def _redrawn(shot: Shot, thing: Thing, rng: Rng) -> Pixels:
    size = takes.SIZES[2] if rng.random() < 0.5 else shot.pixels.shape[1::-1]
    return takes.redrawn(thing, shot.place, size, rng)


def _swapped(shot: Shot, thing: Thing, rng: Rng) -> Pixels:
    return takes.taken(takes.standing(thing, shot.ground, shot.place), rng)


def _swapped_and_edited(shot: Shot, thing: Thing, rng: Rng) -> Pixels:
    return _edited(Shot(thing, shot.ground, shot.place, _swapped(shot, thing, rng)), thing, rng)


def _gone(shot: Shot, thing: Thing, rng: Rng) -> Pixels:
    return takes.taken(shot.ground, rng)


def _worked(pixels: Pixels, prompt: str, rng: Rng) -> Pixels:
    """What the sandbox answers, its plate included."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=92)
    data = file.getvalue()
    size = working.like(data, PIXELS)
    return working.picture(prompt, [data], size, int(rng.integers(2**31)))


def _one(things: Sequence[Thing], rng: Rng) -> Thing:
    return things[int(rng.integers(len(things)))]


def _colour_gap(one: Thing, other: Thing) -> float:
    return float(np.abs(_colours(one) - _colours(other)).sum())


def _colours(thing: Thing) -> npt.NDArray[np.float64]:
    """How often each colour of Lab is in the thing, of 1."""
    lab = cv2.cvtColor(np.ascontiguousarray(thing.pixels[..., :3]), cv2.COLOR_RGB2LAB)
    seen = lab[thing.pixels[..., 3] > 128]
    counts, _ = np.histogramdd(seen, bins=(4, 8, 8), range=((0, 256),) * 3)
    return counts / counts.sum()

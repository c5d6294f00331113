"""The pictures themselves: really edited, the same for the same seed, marked."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from darkroom.sandbox.pictures import light, wishes, working
from darkroom.sandbox.pictures.marking import marked
from darkroom.sandbox.pictures.pixels import Unreadable, opened, saved
from darkroom.sandbox.pictures.styles import STYLES
from darkroom.sandbox.pictures.subject import subject

from .pictures import grained, photo, product

SIZE = (480, 480)
PLATE = np.s_[-40:, -120:]
"""Where the mark is, in pictures of that size."""


def edited(prompt: str, pixels: np.ndarray, seed: int = 1) -> np.ndarray:
    return working.picture(prompt, [saved(pixels)], SIZE, seed)


@pytest.mark.parametrize("scene", ["studio", "wood", "marble", "meadow", "city"])
def test_a_white_background_is_white_and_the_subject_stays(scene: str) -> None:
    pixels, truth = product(scene)
    after = edited("Put it on a pure white background", grained(pixels, 6))
    ground = cv2.dilate(truth, np.ones((31, 31))) == 0
    ground[PLATE] = False
    white = (after[ground] == 255).all(axis=1)
    assert white.mean() > 0.97
    inside = cv2.erode(truth, np.ones((15, 15))) == 1
    kept = np.abs(after[inside].astype(int) - pixels[inside]).mean(axis=1) < 40
    assert kept.mean() > 0.9


@pytest.mark.parametrize("scene", ["studio", "wood", "marble", "meadow", "city"])
def test_the_subject_is_found(scene: str) -> None:
    pixels, truth = product(scene)
    found, there = subject(grained(pixels, 6)) > 0.5, truth > 0.5
    assert (found & there).sum() / (found | there).sum() > 0.8


def test_denoising_takes_the_grain_and_leaves_the_picture() -> None:
    clean, _ = product("studio")
    noisy = grained(clean)
    before = np.abs(noisy.astype(int) - clean).mean()
    after = np.abs(light.denoised(noisy).astype(int) - clean).mean()
    assert after < 0.5 * before


def test_relighting_makes_a_dark_picture_bright() -> None:
    dark = (product("studio")[0] * 0.3).astype(np.uint8)
    after = edited("mejora la iluminación", dark)
    assert after.mean() > 1.7 * dark.mean()


def test_light_from_the_left_falls_from_the_left() -> None:
    flat = np.full((200, 200, 3), 120, np.uint8)
    lit = light.relit(flat, "left")
    assert lit[:, :60].mean() > lit[:, -60:].mean() + 30


@pytest.mark.parametrize("style", STYLES)
def test_each_style_changes_the_picture_and_is_repeatable(style: str) -> None:
    pixels, _ = product("meadow", side=200)
    word = {
        "watercolour": "watercolor",
        "monochrome": "black and white",
        "pop": "pop art",
        "oil": "oil painting",
    }
    prompt = f"as {word.get(style, style)}, sharp"
    assert style in wishes.read(prompt).styles
    once, again = edited(prompt, pixels), edited(prompt, pixels)
    assert (once == again).all()
    plain = edited("sharp", pixels)
    assert np.abs(once.astype(int) - plain).mean() > 3


def test_the_same_seed_makes_the_same_picture_and_another_seed_another() -> None:
    pixels, _ = product(side=200)
    assert (edited("another view", pixels, 5) == edited("another view", pixels, 5)).all()
    assert (edited("another view", pixels, 5) != edited("another view", pixels, 6)).any()
    made = [working.picture("a plant", [], SIZE, seed) for seed in (5, 5, 6)]
    assert (made[0] == made[1]).all() and (made[0] != made[2]).any()


@pytest.mark.parametrize("size", [(1024, 1024), (1344, 768), (768, 1344), (2048, 2048)])
def test_a_made_picture_has_the_size_that_was_asked_for(size: tuple[int, int]) -> None:
    made = working.picture("Ilustración infantil de una familia feliz", [], size, 3)
    assert made.shape == (size[1], size[0], 3)
    assert made.std() > 20


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_metadata_of_every_file_says_sandbox(kind: str) -> None:
    file = saved(product(side=64)[0], kind)
    with Image.open(io.BytesIO(file)) as image:
        said = image.info.get("Software") or image.getexif()[0x0131]
        assert 0x010E not in image.getexif()
    assert said == "Darkroom sandbox"


@pytest.mark.parametrize("tone", [0, 128, 255])
def test_the_mark_is_legible_on_every_ground_and_small(tone: int) -> None:
    blank = np.full((480, 480, 3), tone, np.uint8)
    plate = marked(blank)
    assert (plate[:-60] == tone).all()
    assert np.ptp(plate[PLATE].mean(axis=2)) > 90
    assert (plate != blank).any(axis=2).mean() < 0.02


def test_the_mark_fits_on_a_tiny_picture() -> None:
    assert marked(np.zeros((16, 16, 3), np.uint8)).shape == (16, 16, 3)


def test_what_may_not_change_stays_as_it_is() -> None:
    pixels, _ = product(side=480)
    mask = np.zeros((480, 480), np.float32)
    mask[:240] = 1
    after = working.picture("pop art", [saved(pixels)], SIZE, 1, mask)
    assert (after[260:430] == pixels[260:430]).all()
    assert np.abs(after[:220].astype(int) - pixels[:220]).mean() > 10


def test_another_picture_lends_its_colours() -> None:
    pixels, _ = product("studio", side=200)
    red = np.full((200, 200, 3), (180, 40, 40), np.uint8)
    after = working.picture("improve", [saved(pixels), saved(red)], SIZE, 1)
    assert after[..., 0].mean() > after[..., 2].mean() + 40


@pytest.mark.parametrize("data", [b"", b"nonsense", photo().data[:200]])
def test_what_is_no_picture_is_not_opened(data: bytes) -> None:
    with pytest.raises(Unreadable):
        opened(data)


@pytest.mark.parametrize(
    ("prompt", "ground"),
    [
        ("white background", "white"),
        ("Fondo blanco, sin sombras", "white"),
        ("a background of pure, clean white", "white"),
        ("remove the background", "white"),
        ("elimina el fondo", "white"),
        ("on a beach background", "beach"),
        ("con un fondo de bosque", "forest"),
        ("a white vase", ""),
    ],
)
def test_a_prompt_is_understood_in_two_languages(prompt: str, ground: str) -> None:
    assert wishes.read(prompt).ground == ground

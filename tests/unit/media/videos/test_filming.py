"""Films of scenes: what is drawn, what moves, and what is heard in the end."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from darkroom.media import ffmpeg, fonts
from darkroom.media.videos import filming, fitting, titles
from darkroom.media.videos.filming import Shot
from darkroom.media.videos.plan import BODY, MOTIONS, TRANSITIONS, Plan, Scene

SIZE = (320, 180)


def nothing(*_: object) -> None:
    """Not of interest."""


@pytest.fixture
def dotted(tmp_path: Path) -> Path:
    """A black picture with a white square in its middle."""
    pixels = np.zeros((180, 320, 3), np.uint8)
    pixels[80:100, 150:170] = 255
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


def filmed(scene: Scene, source: Path, lasts: int = 30) -> list[np.ndarray]:
    """The frames of a film, grey."""
    shot = Shot(0, scene, SIZE, {BODY: (0, lasts)}, source, None)
    filming.film(shot, source.parent, told=nothing, stop=nothing)
    return frames(source.parent / filming.name(0, BODY))


def frames(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def white(frame: np.ndarray) -> tuple[float, float]:
    """The middle of what is white (x), and how much of it there is."""
    columns = np.nonzero(frame > 128)[1]
    return float(columns.mean()), float(len(columns))


@pytest.mark.parametrize("motion", MOTIONS)
def test_a_picture_moves_as_asked(motion: str, dotted: Path) -> None:
    found = filmed(Scene("picture", 0, 30, motion), dotted)
    assert len(found) == 30
    (x0, area0), (x1, area1) = white(found[0]), white(found[-1])
    moved, grown = round((x1 - x0) / 20), area1 / area0
    # Where the view goes to the left, what is seen goes to the right.
    assert moved == {"left": 2, "right": -2}.get(motion, 0)
    assert (grown > 1.2, grown < 0.85) == (motion == "in", motion == "out")


def test_the_last_picture_of_a_short_clip_stays(tmp_path: Path) -> None:
    drawn = ["-f", "lavfi", "-i", "color=white:size=64x48:rate=10:duration=1", "clip.mp4"]
    ffmpeg.run(drawn, tmp_path)
    found = filmed(Scene("clip", 0, 60), tmp_path / "clip.mp4", lasts=60)
    assert len(found) == 60 and found[-1].mean() > 200


def test_a_whole_clip_stands_upon_itself(tmp_path: Path) -> None:
    ffmpeg.run(["-f", "lavfi", "-i", "color=white:size=60x120:duration=1", "clip.mp4"], tmp_path)
    found = filmed(Scene("clip", 0, 10, fit="contain"), tmp_path / "clip.mp4", lasts=10)
    assert found[0].shape == (180, 320) and found[0].min() > 200


@pytest.mark.parametrize("transition", ["cut", *TRANSITIONS])
def test_a_video_lasts_as_long_as_its_scenes(transition: str, dotted: Path) -> None:
    plan = Plan(
        "16:9",
        (
            Scene("picture", 0, 20),
            Scene("picture", 0, 20, transition=transition),
            Scene("picture", 0, 20),
        ),
    )
    for at, scene in enumerate(plan.scenes):
        shot = Shot(at, scene, SIZE, plan.parts(at), dotted, None)
        filming.film(shot, dotted.parent, told=nothing, stop=nothing)
    target, pieces = dotted.parent / "video.mp4", filming.pieces(plan, dotted.parent, stop=nothing)
    filming.join(plan, pieces, [], target, dotted.parent, told=nothing, stop=nothing)
    assert len(frames(target)) == 60
    with av.open(str(target)) as container:
        assert not container.streams.audio


@pytest.mark.parametrize("place", ["top", "middle", "bottom"])
def test_a_title_stands_where_it_belongs(place: str, tmp_path: Path) -> None:
    overlay = titles.draw("Ñandú", place, fonts.default(), (1080, 1920), tmp_path / "t.png")
    with Image.open(tmp_path / "t.png") as drawn:
        assert abs(overlay.x + drawn.width / 2 - 540) <= 2
        middle = overlay.y + drawn.height / 2
        assert np.asarray(drawn)[..., 3].max() == 255
    assert {"top": middle < 640, "middle": 900 < middle < 1020, "bottom": middle > 1280}[place]


def test_a_long_title_gets_smaller_letters_and_more_lines(tmp_path: Path) -> None:
    text = " ".join(["palabra"] * 25)
    titles.draw(text, "middle", fonts.default(), (1920, 1080), tmp_path / "t.png")
    with Image.open(tmp_path / "t.png") as drawn:
        assert drawn.width <= 1920 * 0.86 and drawn.height <= 540


def test_a_word_that_is_wider_than_the_frame_is_drawn_within_it(tmp_path: Path) -> None:
    titles.draw("W" * 200, "middle", fonts.default(), (1080, 1920), tmp_path / "t.png")
    with Image.open(tmp_path / "t.png") as drawn:
        assert drawn.width <= 1080


def test_a_picture_of_another_shape_is_cut_or_shown_whole(tmp_path: Path) -> None:
    pixels = np.zeros((100, 300, 3), np.uint8)
    pixels[:, :20] = 255
    for how, edge in (("cover", 0), ("contain", 255)):
        fitting.fit(pixels, (200, 200), how, tmp_path / "p.png")
        with Image.open(tmp_path / "p.png") as fitted:
            assert fitted.size == (200, 200)
            assert np.asarray(fitted)[100, 2, 0] == edge

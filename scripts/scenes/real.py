"""The real tray of `../shared/photos`: its plants painted over by its own soil; its cut-outs."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .containers import Patch
from .plants import Sprite, as_sprite, paste
from .truth import Container, Floats, Image, Photo, Plant

_COLUMNS = (200, 420, 640, 866, 1088)
_ROWS = (108, 366, 588, 810)
_SEEN = 2592 / 1270
_TRAYS = (
    [(78, 0), (1208, 0), (1212, 224), (1190, 232), (88, 236), (78, 215)],
    [(66, 255), (88, 243), (1190, 243), (1196, 915), (1180, 935), (82, 924), (68, 900)],
)
_POT_HALF = 93


@dataclass(frozen=True)
class RealTray:
    """The tray's photo with its truth, the same photo without plants, and its cut-out plants."""

    photo: Photo
    emptied: Image
    places: Floats
    cutouts: list[Sprite]

    def patch(self, scale: float) -> Patch:
        """The emptied tray, `scale` times its own size, ready for planting."""
        rgb = cv2.resize(self.emptied, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        rgba = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
        trays = [(tray.kind, tray.polygon * np.float32(scale)) for tray in self.photo.containers]
        return Patch(rgba, trays, self.places * np.float32(scale), 222 * _SEEN * scale)


def load_real(folder: Path) -> RealTray | None:
    """The tray under `folder` (`shared/photos`), or None where it is missing."""
    picture = folder / "tray" / "arabidopsis_tray_A.jpg"
    if not picture.is_file():
        return None
    image = read_rgb(picture)
    photo = Photo(image, read_boxes(picture.with_suffix(".txt"), image), tuple(_trays()))
    grid = np.stack(np.meshgrid(_COLUMNS, _ROWS), axis=-1).reshape(-1, 2)
    places = grid.astype(np.float32) * np.float32(_SEEN)
    cutouts = [read_cutout(path) for path in sorted((folder / "cutouts").glob("*.png"))]
    return RealTray(photo, paint_over(photo, places), places, cutouts + _grown(cutouts))


def _grown(cutouts: list[Sprite]) -> list[Sprite]:
    """Older plants: a second, smaller rosette laid turned over each of the larger cut-outs."""
    large = [sprite for sprite in cutouts if sprite.diameter > 200]
    grown = []
    for below, above in zip(large, large[::-1], strict=True):
        rgba = below.rgba.copy()
        x, y = below.centre.tolist()
        paste(rgba, above, (x, y), below.diameter * 0.7, 0.6, (0.01, 0.02, 0.4))
        grown.append(as_sprite(rgba))
    return grown


def _trays() -> list[Container]:
    return [Container("plug", np.array(tray, np.float32) * np.float32(_SEEN)) for tray in _TRAYS]


def read_rgb(path: Path) -> Image:
    """A picture file as RGB (H, W, 3)."""
    return np.asarray(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), np.uint8)


def read_boxes(path: Path, image: Image) -> tuple[Plant, ...]:
    """Plants from a YOLO label file: class, then centre and size as shares of the frame."""
    height, width = image.shape[:2]
    rows = np.loadtxt(path, ndmin=2)[:, 1:] * (width, height, width, height)
    return tuple(
        Plant((x, y), (x - w / 2, y - h / 2, x + w / 2, y + h / 2)) for x, y, w, h in rows.tolist()
    )


def read_cutout(path: Path) -> Sprite:
    """A cut-out plant without the loose specks that its colour threshold took along."""
    rgba = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)
    joined = cv2.dilate((rgba[..., 3] > 96).astype(np.uint8), np.ones((5, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    areas = stats[1:, cv2.CC_STAT_AREA]
    keep = 1 + np.flatnonzero(areas > 0.12 * areas.max())
    rgba[~np.isin(labels, keep)] = 0
    return as_sprite(np.asarray(rgba, np.uint8))


def paint_over(photo: Photo, places: Floats) -> Image:
    """The tray with soil from its empty pot over every plant: no plant without a box is left."""
    empty = places[3]
    half = int(_POT_HALF * _SEEN)
    x, y = round(float(empty[0])), round(float(empty[1]))
    soil = photo.image[y - half : y + half, x - half : x + half]
    emptied = photo.image.copy()
    for turn, known in enumerate(photo.plants):
        _cover(emptied, _leaf_mask(photo.image, known), known, np.rot90(soil, turn % 4), places)
    return emptied


def _leaf_mask(image: Image, known: Plant) -> Image:
    """A soft mask (0–255) over one plant's leaves and their shadow."""
    x1, y1, x2, y2 = (round(side) for side in known.box)
    mask = np.zeros(image.shape[:2], np.uint8)
    window = np.s_[max(y1 - 8, 0) : y2 + 8, max(x1 - 8, 0) : x2 + 8]
    part = image[window].astype(np.int32)
    mask[window] = 255 * (2 * part[..., 1] - part[..., 0] - part[..., 2] > 30).astype(np.uint8)
    grown = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (25, 25)))
    return np.asarray(cv2.blur(grown, (9, 9)), np.uint8)


def _cover(emptied: Image, mask: Image, known: Plant, soil: Image, places: Floats) -> None:
    """Blend the pot's worth of soil into the pot that holds this plant, where the mask says."""
    pot = places[np.argmin(np.linalg.norm(places - np.asarray(known.centre), axis=1))]
    half = soil.shape[0] // 2
    x, y = round(float(pot[0])), round(float(pot[1]))
    # Leaves that hang over the pot's rim get soil there too: stretched, rather than left green.
    reach = half + 70
    window = np.s_[max(y - reach, 0) : y + reach, max(x - reach, 0) : x + reach]
    shape = emptied[window].shape
    fill = cv2.copyMakeBorder(np.ascontiguousarray(soil), *(70,) * 4, cv2.BORDER_REFLECT)
    fill = fill[-shape[0] :, -shape[1] :] if y < reach else fill[: shape[0], : shape[1]]
    share = mask[window][..., None].astype(np.float32) / 255
    under = emptied[window].astype(np.float32)
    emptied[window] = (under + share * (fill - under)).astype(np.uint8)

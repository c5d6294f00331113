"""Faces as vectors that tell people apart, where InsightFace and its weights are installed.

The weights are for non-commercial use only, so they come neither with Darkroom nor by themselves.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Vectors = NDArray[np.float32]

PACK = "buffalo_l"


class FaceEmbedder:
    """The detector and the recogniser of an InsightFace model pack. Not thread-safe.

    Parameters
    ----------
    folder : holds `models/buffalo_l` with the pack's ONNX files
    """

    def __init__(self, folder: Path) -> None:
        from insightface.app import FaceAnalysis

        modules = ["detection", "recognition"]
        self._app = FaceAnalysis(name=PACK, root=str(folder), allowed_modules=modules)
        self._app.prepare(ctx_id=-1)

    def embed(self, pixels: Pixels) -> Vectors:
        """One vector of length 1 for each face in RGB pixels: (N, 512)."""
        found = self._app.get(np.ascontiguousarray(pixels[..., ::-1]))
        vectors = [face.normed_embedding for face in found]
        return np.array(vectors, np.float32).reshape(len(vectors), -1)


def installed(folder: Path) -> FaceEmbedder | None:
    """The embedder, or None where the package or its weights are missing."""
    return FaceEmbedder(folder) if is_here(folder) else None


def is_here(folder: Path) -> bool:
    """Whether the package is installed and the pack's weights lie in the folder."""
    # InsightFace would fetch weights that it does not find.
    has_weights = any((folder / "models" / PACK).glob("*.onnx"))
    return has_weights and find_spec("insightface") is not None


def identity_distance(before: Vectors, after: Vectors) -> float:
    """How far the least kept of the faces (N, D) lies from the nearest of the others (M, D).

    1 minus the cosine: 0 the same face, about 1 two strangers. N must not be 0; 2 where M is.
    """
    if not len(after):
        return 2.0
    return float((1 - (before @ after.T).max(axis=1)).max())

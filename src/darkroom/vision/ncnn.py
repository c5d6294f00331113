"""Networks in ncnn's format: a `.param` file of layers, one a line, and their numbers in a `.bin`.

Only what the super-resolution networks need is read: convolutions whose weights are 16-bit floats,
and layers with one slope a channel. The format: Tencent/ncnn, docs/developer-guide.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from darkroom.errors import Invalid

Floats = NDArray[np.float32]

_MAGIC = "7767517"
_HALF = 0x01306B47
"""Stands before weights that are 16-bit floats."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer.

    Attributes
    ----------
    kind : "Convolution", "Concat", …
    inputs, outputs : names of what it takes and makes
    told : its parameters, by ncnn's numbers for them; those below -23300 are lists
    weight : (outputs, inputs, k, k) of a convolution, or (outputs,) slopes; None of others
    bias : (outputs,) of a convolution that has one
    """

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    told: Mapping[int, str]
    weight: Floats | None = None
    bias: Floats | None = None

    def number(self, key: int, default: int = 0) -> int:
        """A parameter that is a whole number."""
        return int(self.told.get(key, default))

    def numbers(self, key: int) -> list[float]:
        """A parameter that is a list, whose length comes first; empty where it is not told."""
        return [float(part) for part in self.told.get(-23300 - key, "0").split(",")[1:]]


def read(param: Path, numbers: Path) -> tuple[Layer, ...]:
    """The layers of a network, in the order they run.

    Raises
    ------
    Invalid
        When the files are not of this format, or do not belong together.
    """
    # The second line only counts the layers.
    magic, _, *lines = [*param.read_text().splitlines(), "", ""]
    if magic.strip() != _MAGIC:
        raise Invalid(f"{param.name} is not an ncnn network.", "weights")
    stream = _Numbers(numbers.read_bytes(), numbers.name)
    layers = tuple(_layer(line.split(), stream) for line in lines if line.strip())
    if stream.left:
        raise Invalid(f"{numbers.name} holds more than {param.name} tells of.", "weights")
    return layers


def _layer(words: list[str], stream: "_Numbers") -> Layer:
    kind, (taken, made) = words[0], map(int, words[2:4])
    names, said = words[4 : 4 + taken + made], words[4 + taken + made :]
    told = {int(key): value for key, _, value in (word.partition("=") for word in said)}
    layer = Layer(kind, tuple(names[:taken]), tuple(names[taken:]), told)
    if kind == "Convolution":
        return _convolution(layer, stream)
    if kind == "PReLU":
        return Layer(kind, layer.inputs, layer.outputs, told, stream.floats(layer.number(0)))
    return layer


def _convolution(layer: Layer, stream: "_Numbers") -> Layer:
    outputs, side, count = (layer.number(key) for key in (0, 1, 6))
    weight = stream.halves(count).reshape(outputs, -1, side, side)
    bias = stream.floats(outputs) if layer.number(5) else None
    return Layer(layer.kind, layer.inputs, layer.outputs, layer.told, weight, bias)


class _Numbers:
    """Reads a `.bin` from its beginning to its end."""

    def __init__(self, data: bytes, name: str) -> None:
        self._data, self._name, self._at = data, name, 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def halves(self, count: int) -> Floats:
        flag = int.from_bytes(self._take(4), "little")
        if flag != _HALF:
            raise Invalid(f"{self._name} holds weights of an unknown kind ({flag:#x}).", "weights")
        # They are filled up to whole words.
        found = self._take(-(-2 * count // 4) * 4)
        return np.frombuffer(found, "<f2", count).astype(np.float32)

    def floats(self, count: int) -> Floats:
        return np.frombuffer(self._take(4 * count), "<f4").astype(np.float32)

    def _take(self, size: int) -> bytes:
        if size > self.left:
            raise Invalid(f"{self._name} is too short.", "weights")
        self._at += size
        return self._data[self._at - size : self._at]

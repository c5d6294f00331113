"""OpenVINO graphs of networks that were read from ncnn's format."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from darkroom.errors import Invalid
from darkroom.vision.ncnn import Layer

if TYPE_CHECKING:
    import openvino


def graph(found: tuple[Layer, ...]) -> "openvino.Model":
    """The network of these layers: takes and makes pictures (1, H, W, C).

    Raises
    ------
    Invalid
        When one of the layers is of a kind that is not known here.
    """
    import openvino
    from openvino import opset13 as ops

    taken = ops.parameter([1, -1, -1, 3], np.float32)
    made: dict[str, Any] = {}
    for layer in found:
        if layer.kind == "Input":
            node = ops.transpose(taken, [0, 3, 1, 2])
        else:
            node = _node(layer, [made[name] for name in layer.inputs])
        made |= dict.fromkeys(layer.outputs, node)
    return openvino.Model([ops.transpose(node, [0, 2, 3, 1])], [taken])


def _node(layer: Layer, inputs: list[Any]) -> Any:
    if layer.kind not in _NODES:
        raise Invalid(f"The network has a layer of an unknown kind ({layer.kind}).", "weights")
    return _NODES[layer.kind](layer, inputs)


def _convolution(layer: Layer, inputs: list[Any]) -> Any:
    from openvino import opset13 as ops

    pads = [layer.number(4)] * 2
    node = ops.convolution(inputs[0], layer.weight, [1, 1], pads, pads, [1, 1])
    if layer.bias is not None:
        node = ops.add(node, layer.bias.reshape(1, -1, 1, 1))
    slopes = layer.numbers(10)
    return ops.prelu(node, np.array(slopes, np.float32)) if slopes else node


def _prelu(layer: Layer, inputs: list[Any]) -> Any:
    from openvino import opset13 as ops

    return ops.prelu(inputs[0], layer.weight)


def _concat(layer: Layer, inputs: list[Any]) -> Any:
    from openvino import opset13 as ops

    return ops.concat(inputs, 1)


def _sum(layer: Layer, inputs: list[Any]) -> Any:
    """Both inputs, each times its own factor where they are told."""
    from openvino import opset13 as ops

    factors = layer.numbers(1) or [1.0, 1.0]
    one, other = (
        ops.multiply(node, np.float32(factor)) if factor != 1 else node
        for node, factor in zip(inputs, factors, strict=True)
    )
    return ops.add(one, other)


def _nearest(layer: Layer, inputs: list[Any]) -> Any:
    from openvino import opset13 as ops

    scales = np.array([float(layer.told[1]), float(layer.told[2])], np.float32)
    return ops.interpolate(
        inputs[0], scales, "nearest", "scales", axes=np.array([2, 3], np.int64),
        coordinate_transformation_mode="asymmetric", nearest_mode="floor",
    )  # fmt: skip


def _pixel_shuffle(layer: Layer, inputs: list[Any]) -> Any:
    from openvino import opset13 as ops

    return ops.depth_to_space(inputs[0], "depth_first", layer.number(0))


_NODES: Mapping[str, Callable[[Layer, list[Any]], Any]] = {
    "Split": lambda layer, inputs: inputs[0],
    "Convolution": _convolution,
    "PReLU": _prelu,
    "Concat": _concat,
    "Eltwise": _sum,
    "BinaryOp": _sum,
    "Interp": _nearest,
    "PixelShuffle": _pixel_shuffle,
}

"""Batches on a device whose memory is small: a real network on the CPU that says it is full."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from darkroom.errors import Transient
from darkroom.vision.batching import RECOVERY, Halving, is_out_of_memory

Floats = NDArray[np.float32]


class SmallDevice(torch.nn.Module):
    """Sums each image, and has memory for so many at once."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room
        self.done: list[int] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if len(images) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        self.done += images[:, 0].int().tolist()
        return images.sum(dim=1, keepdim=True)


def forward(device: SmallDevice) -> Callable[[Floats], list[Floats]]:
    return lambda images: [device(torch.from_numpy(images)).numpy()]


def items(count: int) -> Floats:
    """Images that begin with their number."""
    return np.stack([np.arange(count), np.ones(count)], axis=1).astype(np.float32)


@given(st.integers(1, 70), st.integers(1, 40), st.integers(1, 40))
def test_no_image_is_lost_or_repeated_however_little_memory_there_is(
    count: int, largest: int, room: int
) -> None:
    device, batches = SmallDevice(room), Halving(largest, lambda: None)
    (answer,) = batches.run(items(count), forward(device))
    assert answer[:, 0].tolist() == [number + 1 for number in range(count)]
    assert device.done == list(range(count))


def test_later_batches_are_small_from_the_start() -> None:
    device, relieved = SmallDevice(3), []
    batches = Halving(32, lambda: relieved.append(True))
    batches.run(items(32), forward(device))
    assert (batches.size, len(relieved)) == (2, 4)
    batches.run(items(32), forward(device))
    assert len(relieved) == 4


def test_batches_grow_again_when_the_memory_is_free() -> None:
    device, batches = SmallDevice(4), Halving(16, lambda: None)
    batches.run(items(16), forward(device))
    device.room = 16
    for _ in range(2 * RECOVERY):
        batches.run(items(16), forward(device))
    assert batches.size == 16


def test_memory_that_holds_not_one_image_is_a_fault_that_may_pass() -> None:
    with pytest.raises(Transient) as error:
        Halving(8, lambda: None).run(items(3), forward(SmallDevice(0)))
    assert is_out_of_memory(error.value)


def test_the_tensors_of_the_failed_batch_are_free_before_memory_is_given_back() -> None:
    alive: list[bool] = []

    class Held:
        pass

    def full(images: Floats) -> list[Floats]:
        import weakref

        held = Held()
        seen.append(weakref.ref(held))
        if len(images) > 1:
            raise torch.OutOfMemoryError("full")
        return [images]

    seen: list[Callable[[], object]] = []
    Halving(2, lambda: alive.append(seen[-1]() is not None)).run(items(2), full)
    assert alive == [False]


def test_other_errors_pass_unchanged() -> None:
    def broken(images: Floats) -> list[Floats]:
        raise RuntimeError("the weights do not fit the image")

    with pytest.raises(RuntimeError, match="do not fit"):
        Halving(4, lambda: None).run(items(4), broken)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("x"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
)
def test_a_full_device_is_known_by_its_words(error: Exception) -> None:
    assert is_out_of_memory(error)

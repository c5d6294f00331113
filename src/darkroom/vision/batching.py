"""Batches that fit a device: where its memory does not hold one, its halves go one by one."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from darkroom.errors import Transient

Outputs = list[NDArray[np.float32]]
Forward = Callable[[Any], Outputs]

RECOVERY = 64
"""Batches that must go well before twice as many items are tried again."""

_SAID = ("out of memory", "ALLOC_FAILED")


class Halving:
    """How many items go to a device at once; not thread-safe.

    A batch that the device's memory does not hold is tried again in halves. No item is left out and
    none is answered twice. Later batches are that small from the start, and grow again after a
    while, since what filled the memory may have gone.

    Parameters
    ----------
    largest : the most items that one batch may hold
    relieve : called before a batch is tried again; gives back what the device holds for nothing
    """

    def __init__(self, largest: int, relieve: Callable[[], None]) -> None:
        self.size = self._largest = largest
        self._relieve = relieve
        self._good = 0

    def run(self, items: NDArray[Any], forward: Forward) -> Outputs:
        """What `forward` answers for all items (N, …), in their order.

        Raises
        ------
        Transient
            When the memory does not hold a single item.
        """
        answers: list[Outputs] = []
        start = 0
        while start < len(items):
            batch = items[start : start + self.size]
            answer = self._answer(batch, forward)
            if answer is not None:
                answers.append(answer)
                start += len(batch)
        return [np.concatenate(parts) for parts in zip(*answers, strict=True)]

    def _answer(self, batch: NDArray[Any], forward: Forward) -> Outputs | None:
        """The batch's answer; None when it has to be tried again in halves."""
        try:
            answer = forward(batch)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if len(batch) == 1:
                raise Transient("The device's memory is too full for a single image.") from error
        else:
            self._grow()
            return answer
        # Only here are the tensors free that the error's traceback held.
        self._relieve()
        self.size, self._good = max(1, len(batch) // 2), 0
        return None

    def _grow(self) -> None:
        self._good += 1
        if self._good >= RECOVERY:
            self.size, self._good = min(self._largest, 2 * self.size), 0


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device said that its memory is full: torch's own error, or a library's words."""
    if isinstance(error, Transient):
        return error.__cause__ is not None and is_out_of_memory(error.__cause__)
    named = any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__)
    return named or (isinstance(error, RuntimeError) and any(said in str(error) for said in _SAID))

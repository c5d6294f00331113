"""How many pixels the steps of a process may hold decoded at once.

A photo of 100 megapixels takes 300 MB, and more while it is worked on. A machine with many cores
works on many photos at once: on as many as make one of the largest allowed.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from darkroom.settings import Settings

LOOK_SECONDS = 0.5
"""Seconds between two looks whether whoever waits should go on waiting."""


class PixelRoom:
    """Room for so many pixels, given in the order asked for. Thread-safe."""

    def __init__(self, pixels: int) -> None:
        self._all = pixels
        self._free = pixels
        self._line: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def taking(self, pixels: int, checkpoint: Callable[[], None]) -> Iterator[None]:
        """Room for a picture while the block lasts; one larger than all there is gets all.

        `checkpoint` is called now and then while there is no room, and may raise.
        """
        wanted = min(pixels, self._all)
        self._enter(wanted, checkpoint)
        try:
            yield
        finally:
            with self._changed:
                self._free += wanted
                self._changed.notify_all()

    def _enter(self, wanted: int, checkpoint: Callable[[], None]) -> None:
        place = object()
        with self._changed:
            self._line.append(place)
        try:
            while not self._taken(place, wanted):
                checkpoint()
        finally:
            with self._changed:
                self._line.remove(place)
                self._changed.notify_all()

    def _taken(self, place: object, wanted: int) -> bool:
        with self._changed:
            is_next = self._changed.wait_for(
                lambda: self._line[0] is place and self._free >= wanted, LOOK_SECONDS
            )
            if is_next:
                self._free -= wanted
            return is_next


def pixel_room(settings: Settings) -> PixelRoom:
    """The room of a process: for one picture of the largest size allowed."""
    return PixelRoom(settings.max_pixels)

"""Room for pixels, given in the order asked for."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from darkroom.errors import Cancelled
from darkroom.storage.room import PixelRoom

SECONDS = 120


def nothing() -> None:
    pass


class Guest:
    """A thread that takes room and leaves when it is told to."""

    def __init__(self, pool: ThreadPoolExecutor, room: PixelRoom, pixels: int) -> None:
        self.inside, self._leave = threading.Event(), threading.Event()
        self.over: Future[None] = pool.submit(self._stay, room, pixels)

    def _stay(self, room: PixelRoom, pixels: int) -> None:
        with room.taking(pixels, nothing):
            self.inside.set()
            assert self._leave.wait(SECONDS)

    def leave(self) -> None:
        self._leave.set()
        self.over.result(SECONDS)


@pytest.fixture
def pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(4)


def test_pictures_that_fit_together_are_held_together(pool: ThreadPoolExecutor) -> None:
    room = PixelRoom(100)
    guests = [Guest(pool, room, 50) for _ in range(2)]
    assert all(guest.inside.wait(SECONDS) for guest in guests)
    for guest in guests:
        guest.leave()


def test_one_that_does_not_fit_waits_and_those_behind_it_too(pool: ThreadPoolExecutor) -> None:
    room = PixelRoom(100)
    first = Guest(pool, room, 60)
    assert first.inside.wait(SECONDS)
    large = Guest(pool, room, 100)
    while len(room._line) < 1:
        pass
    small = Guest(pool, room, 10)
    while len(room._line) < 2:
        pass
    assert not large.inside.is_set() and not small.inside.is_set()
    first.leave()
    assert large.inside.wait(SECONDS) and not small.inside.is_set()
    large.leave()
    assert small.inside.wait(SECONDS)
    small.leave()


def test_a_picture_larger_than_all_room_gets_all_of_it() -> None:
    room = PixelRoom(100)
    for _ in range(2):
        with room.taking(500, nothing):
            pass


def test_whoever_is_told_to_stop_while_waiting_leaves_the_line(pool: ThreadPoolExecutor) -> None:
    room = PixelRoom(100)

    def stop() -> None:
        raise Cancelled("over")

    with room.taking(100, nothing), pytest.raises(Cancelled), room.taking(1, stop):
        pass
    with room.taking(100, nothing):
        pass

"""The models of a process, as many at once as the device's memory holds.

All pipelines take their models from here. What is not there is loaded; where that needs room, the
models that nobody uses go, the one that was used longest ago first. A model in use stays. A model
has one user at a time, since few are thread-safe, and a thread one model at a time, so that no two
can wait for each other.
"""

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from darkroom.errors import Permanent
from darkroom.settings import Settings
from darkroom.vision import runtime
from darkroom.vision.batching import is_out_of_memory

T = TypeVar("T")
GB = 1024**3


@dataclass(frozen=True)
class Model(Generic[T]):
    """How to get a model.

    Attributes
    ----------
    name : two of one name are one model
    size : bytes it is expected to take
    load : makes it
    measure : bytes that a loaded one takes, where it can tell; else `size` it is
    """

    name: str
    size: int
    load: Callable[[], T]
    measure: Callable[[T], int] | None = None


@dataclass(frozen=True)
class Loaded:
    """A model that is loaded: its bytes, and whether somebody works with it."""

    name: str
    size: int
    in_use: bool


@dataclass(eq=False)
class _Kept:
    value: Any = None
    size: int = 0
    in_use: bool = False
    used_at: int = 0


class ModelCache:
    """Loaded models within a budget. Thread-safe.

    Parameters
    ----------
    budget : bytes that all models together may take
    empty_every : images after which the device's own cache is emptied
    relieve : empties that cache; called after models have gone, too
    """

    def __init__(
        self,
        budget: int,
        *,
        empty_every: int = 10,
        relieve: Callable[[], None] = runtime.empty_device_cache,
    ) -> None:
        self.budget = budget
        self._empty_every = empty_every
        self._relieve = relieve
        self._kept: dict[str, _Kept] = {}
        self._changed = threading.Condition()
        self._threads: set[int] = set()
        self._images = self._uses = 0

    @property
    def size(self) -> int:
        """Bytes that the models here take, and that those being loaded will."""
        with self._changed:
            return self._size()

    @property
    def names(self) -> list[str]:
        """The models that are loaded, the one used longest ago first."""
        return [model.name for model in self.loaded]

    @property
    def loaded(self) -> list[Loaded]:
        """The models that are loaded, the one used longest ago first."""
        with self._changed:
            there = [(name, kept) for name, kept in self._kept.items() if kept.value is not None]
            there.sort(key=lambda each: (each[1].in_use, each[1].used_at))
            return [Loaded(name, kept.size, kept.in_use) for name, kept in there]

    def holds(self, model: Model[T]) -> bool:
        """Whether the model is loaded."""
        with self._changed:
            kept = self._kept.get(model.name)
            return kept is not None and kept.value is not None

    @contextmanager
    def using(self, model: Model[T]) -> Iterator[T]:
        """The model, for nobody else as long as the block lasts.

        Raises
        ------
        Permanent
            When the model alone is larger than the budget.
        """
        kept = self._claim(model.name)
        try:
            if kept.value is None:
                self._load(kept, model)
            yield cast(T, kept.value)
        except Exception as error:
            if is_out_of_memory(error):
                self.clear()
            raise
        finally:
            self._give_back(model.name, kept)

    def finished_image(self) -> None:
        """Count one image; after every so many the device's cache is emptied."""
        with self._changed:
            self._images += 1
            is_time = self._images % self._empty_every == 0
        if is_time:
            self._relieve()

    def clear(self) -> bool:
        """Let go of all models that nobody uses; answers whether there were any."""
        with self._changed:
            gone = [self._drop_oldest() for _ in range(len(self._kept))]
        if any(gone):
            self._free()
        return any(gone)

    def _claim(self, name: str) -> _Kept:
        thread = threading.get_ident()
        with self._changed:
            if thread in self._threads:
                raise RuntimeError(f"{name}: this thread uses another model already")
            while (kept := self._kept.setdefault(name, _Kept())).in_use:
                self._changed.wait()
            kept.in_use = True
            self._threads.add(thread)
            return kept

    def _give_back(self, name: str, kept: _Kept) -> None:
        with self._changed:
            kept.in_use = False
            self._uses += 1
            kept.used_at = self._uses
            self._threads.discard(threading.get_ident())
            if kept.value is None:
                del self._kept[name]
            self._changed.notify_all()

    def _load(self, kept: _Kept, model: Model[T]) -> None:
        self._make_room(kept, model)
        try:
            kept.value = model.load()
        except Exception as error:
            # Others than us may have filled the device.
            if not (is_out_of_memory(error) and self.clear()):
                raise
        if kept.value is None:
            kept.value = model.load()
        if model.measure is not None:
            self._correct(kept, model.measure(kept.value))

    def _make_room(self, kept: _Kept, model: Model[T]) -> None:
        """Put the model's size aside, once there is room for it."""
        if model.size > self.budget:
            raise Permanent(
                f"The model {model.name} needs {model.size / GB:.1f} GB, and all models together "
                f"may take {self.budget / GB:.1f}. Raise DARKROOM_MODEL_MEMORY_GB."
            )
        is_fuller = False
        with self._changed:
            while self._size() + model.size > self.budget:
                if self._drop_oldest():
                    is_fuller = True
                else:
                    self._changed.wait()
            kept.size = model.size
        if is_fuller:
            self._free()

    def _correct(self, kept: _Kept, size: int) -> None:
        """Put the true size in place of the expected one; it is loaded, so none is waited for."""
        with self._changed:
            kept.size = size
            while self._size() > self.budget and self._drop_oldest():
                pass
            self._changed.notify_all()
        self._free()

    def _size(self) -> int:
        return sum(kept.size for kept in self._kept.values())

    def _drop_oldest(self) -> bool:
        """Let go of the idle model that was used longest ago, if there is one."""
        idle = {name: kept for name, kept in self._kept.items() if not kept.in_use}
        if not idle:
            return False
        del self._kept[min(idle, key=lambda name: idle[name].used_at)]
        return True

    def _free(self) -> None:
        # Networks hold themselves in circles.
        gc.collect()
        self._relieve()


def model_cache(settings: Settings) -> ModelCache:
    """The cache of a process: make one (`task.resource(model_cache)`) and share it."""
    chosen = settings.models
    given = chosen.memory_gb
    budget = runtime.model_memory() if given is None else int(given * GB)
    return ModelCache(budget, empty_every=chosen.empty_cache_every)

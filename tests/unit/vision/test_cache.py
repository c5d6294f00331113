"""Models within a budget: who stays, who goes, who waits."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from darkroom import memory
from darkroom.errors import Permanent
from darkroom.vision import liveportrait, models, runtime
from darkroom.vision.cache import GB, Loaded, Model, ModelCache

SECONDS = 120


class Shelf:
    """Makes models and knows what was loaded how often."""

    def __init__(self) -> None:
        self.loads: list[str] = []
        self.relieved = 0

    def model(self, name: str, size: int = 1, true_size: int | None = None) -> Model[list[str]]:
        def load() -> list[str]:
            self.loads.append(name)
            return [name]

        measure = None if true_size is None else lambda _: true_size
        return Model(name, size, load, measure)

    def cache(self, budget: int, empty_every: int = 10) -> ModelCache:
        return ModelCache(budget, empty_every=empty_every, relieve=self._relieve)

    def _relieve(self) -> None:
        self.relieved += 1


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def use(cache: ModelCache, *models: Model[list[str]]) -> None:
    for model in models:
        with cache.using(model) as loaded:
            assert loaded == [model.name]


def test_a_model_is_loaded_once(shelf: Shelf) -> None:
    cache, plants = shelf.cache(2), shelf.model("plants")
    use(cache, plants, plants)
    assert shelf.loads == ["plants"] and cache.holds(plants)


def test_what_is_loaded_is_told_with_its_size_and_use(shelf: Shelf) -> None:
    cache = shelf.cache(9)
    use(cache, shelf.model("plants", 2, true_size=3))
    with cache.using(shelf.model("faces", 4)):
        assert cache.loaded == [Loaded("plants", 3, False), Loaded("faces", 4, True)]


def test_the_model_used_longest_ago_goes_first(shelf: Shelf) -> None:
    cache = shelf.cache(2)
    one, two, three = (shelf.model(name) for name in ("one", "two", "three"))
    use(cache, one, two, one, three)
    assert cache.names == ["one", "three"]
    assert shelf.relieved == 1


def test_the_models_of_a_t4_take_turns_in_its_memory(shelf: Shelf) -> None:
    cache = shelf.cache(runtime.T4 - runtime.BUFFER)
    sizes = {"SDXL": 6, "Whisper": 1, "InsightFace": 2, "LivePortrait": 4, "Real-ESRGAN": 2}
    models = [shelf.model(name, size * GB) for name, size in sizes.items()]
    for model in models * 2:
        use(cache, model)
        assert cache.size <= 13 * GB
    assert len(cache.names) == 4


def test_a_model_in_use_is_never_let_go(shelf: Shelf) -> None:
    cache, busy, wanted = shelf.cache(1), shelf.model("busy"), shelf.model("wanted")
    with ThreadPoolExecutor(1) as pool:
        with cache.using(busy):
            waiting = pool.submit(use, cache, wanted)
            while not any("wanted" in repr(key) for key in cache._kept):
                assert not waiting.done()
            assert cache.names == ["busy"] and not waiting.done()
        waiting.result(SECONDS)
    assert cache.names == ["wanted"]


def test_two_who_want_a_model_at_once_load_it_once_and_take_turns(shelf: Shelf) -> None:
    cache, at_once, most = shelf.cache(1), threading.Semaphore(1), []

    def one() -> None:
        with cache.using(shelf.model("plants")):
            most.append(at_once.acquire(blocking=False))
            at_once.release()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: one(), range(40), timeout=SECONDS))
    assert shelf.loads == ["plants"] and all(most)


def test_many_threads_keep_to_the_budget(shelf: Shelf) -> None:
    cache = shelf.cache(5)
    models = [shelf.model(f"m{number}", 1 + number % 3) for number in range(7)]

    def one(number: int) -> None:
        with cache.using(models[number % len(models)]) as loaded:
            assert loaded == [models[number % len(models)].name]
            assert cache.size <= 5

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(80), timeout=SECONDS))
    assert cache.size <= 5


def test_the_measured_size_counts_once_a_model_is_loaded(shelf: Shelf) -> None:
    cache = shelf.cache(10)
    use(cache, shelf.model("small", 1), shelf.model("swollen", 1, true_size=10))
    assert cache.names == ["swollen"] and cache.size == 10


def test_a_model_larger_than_the_budget_is_refused_with_the_setting_to_raise(shelf: Shelf) -> None:
    cache = shelf.cache(4 * GB)
    with pytest.raises(Permanent, match=r"needs 6\.0 GB.*4\.0.*DARKROOM_MODEL_MEMORY_GB"):
        use(cache, shelf.model("SDXL", 6 * GB))
    assert shelf.loads == [] and cache.size == 0


def test_a_model_that_does_not_load_leaves_its_room(shelf: Shelf) -> None:
    cache = shelf.cache(1)

    def broken() -> list[str]:
        raise OSError("the file is cut short")

    for _ in range(2):
        with pytest.raises(OSError, match="cut short"), cache.using(Model("broken", 1, broken)):
            pass
    use(cache, shelf.model("whole"))
    assert cache.size == 1


def test_a_full_device_makes_room_and_loads_again(shelf: Shelf) -> None:
    cache, tries = shelf.cache(10), []

    def load() -> list[str]:
        tries.append(cache.names)
        if cache.names:
            raise RuntimeError("CUDA error: out of memory")
        return ["large"]

    use(cache, shelf.model("idle"))
    with cache.using(Model("large", 1, load)):
        pass
    assert tries == [["idle"], []]


def test_work_that_finds_the_device_full_lets_the_idle_models_go(shelf: Shelf) -> None:
    cache = shelf.cache(10)
    use(cache, shelf.model("idle"))
    with pytest.raises(RuntimeError), cache.using(shelf.model("busy")):
        raise RuntimeError("CUDA error: out of memory")
    assert cache.names == ["busy"]


def test_a_thread_uses_one_model_at_a_time(shelf: Shelf) -> None:
    cache = shelf.cache(10)
    with (
        pytest.raises(RuntimeError, match="another model"),
        cache.using(shelf.model("one")),
        cache.using(shelf.model("two")),
    ):
        pass


def test_the_device_s_own_cache_is_emptied_every_so_many_images(shelf: Shelf) -> None:
    cache = shelf.cache(1, empty_every=10)
    for _ in range(25):
        cache.finished_image()
    assert shelf.relieved == 2


def test_without_a_cuda_device_models_take_what_a_t4_would_give_or_half_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runtime, "pick_device", lambda: "cpu")
    for machine, budget in ((64 * GB, 13 * GB), (8 * GB, 4 * GB)):
        monkeypatch.setattr(memory, "total", lambda machine=machine: machine)
        assert runtime.model_memory() == budget


def test_a_t4_has_room_for_all_models_of_the_media_services_at_once() -> None:
    sizes = (models.UPSCALING["cuda"], models.TRANSCRIBING, models.INSWAPPING, liveportrait.SIZE)
    assert [size // GB for size in sizes] == [2, 1, 2, 4]
    assert sum(sizes) <= runtime.T4 - runtime.BUFFER

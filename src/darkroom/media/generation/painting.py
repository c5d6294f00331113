"""Having a picture made, and bringing it into the shape that was asked for."""

from darkroom.gated import files
from darkroom.gated.pictures import opened
from darkroom.media import results
from darkroom.media.generation import parameters, shapes
from darkroom.media.generation.cache import Flight, Taken
from darkroom.media.generation.parameters import Parameters
from darkroom.media.receiving import SUFFIXES
from darkroom.providers import painters
from darkroom.providers.buying import Bought, buy
from darkroom.providers.gemini import Options
from darkroom.queue.task import Task
from darkroom.storage import images, temporary
from darkroom.storage.images import Pixels

LOSSLESS = 100


def bought(task: Task, wish: Parameters, flight: Flight) -> Bought:
    """The answer with the picture: the one there is, or else one that is bought now.

    Raises
    ------
    DarkroomError
        What `buy` raises.
    """
    options = Options(aspect_ratio=wish.ratio, seed=wish.seed)
    return buy(
        task,
        provider=wish.provider,
        operation="generate",
        key=flight.name,
        models=parameters.chain(wish, task.settings.providers),
        ask=painters.asking(task, wish.provider, painters.Wish(wish.told, options=options)),
    )


def stored(task: Task, wish: Parameters, flight: Flight, answer: Bought) -> Taken:
    """The picture in an answer, as it came where it has the right shape, and a small one.

    Raises
    ------
    Wanting
        When the answer holds no picture that can be shown.
    """
    with temporary.folder(task.settings.temp_dir) as folder:
        path = folder / "picture"
        path.write_bytes(painters.picture_of(task, answer).data)
        mime, pixels = opened(path, max_pixels=task.settings.max_pixels)
        shaped = _shaped(pixels, wish)
        if shaped is not pixels:
            mime = images.PNG
            images.save(shaped, path, mime, quality=LOSSLESS)
        key = f"media/pictures/{flight.name}"
        suffix, size = SUFFIXES[mime], results.size_of(shaped)
        picture = files.put(task, path, mime=mime, key=f"{key}.{suffix}", pixels=size)
        small = results.small(task, path, f"{key}-small.webp")
        return Taken(picture, small, _made_by(answer))


def _shaped(pixels: Pixels, wish: Parameters) -> Pixels:
    if wish.size is not None:
        return shapes.in_size(pixels, wish.size)
    return pixels if wish.ratio is None else shapes.in_ratio(pixels, wish.ratio)


def _made_by(answer: Bought) -> parameters.Json:
    return {
        "provider": answer.provider,
        "model": answer.model,
        "is_sandbox": answer.is_sandbox,
    }

"""The services that make pictures, asked alike whichever it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from darkroom.errors import Invalid
from darkroom.providers import fetching, gemini, laozhang, openai
from darkroom.providers.buying import Ask, Bought
from darkroom.providers.gemini import Gemini, Options
from darkroom.providers.laozhang import LaoZhang
from darkroom.providers.pictures import Picture
from darkroom.queue.task import Task

MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Wish:
    """What a service is asked for; those that do not speak Gemini's format heed no options.

    Parameters
    ----------
    pictures
        What the picture is to be made of; none for one that is made of the prompt alone.
    """

    prompt: str
    pictures: Sequence[Picture] = ()
    options: Options = field(default_factory=Options)


def models(task: Task, provider: str) -> Sequence[str]:
    """The models that make pictures there, the best first; `Invalid` for an unknown service."""
    for known in task.settings.providers.with_models:
        if known.name == provider:
            return known.models["image"]
    raise Invalid(f"There is no provider {provider!r}.", "provider")


def asking(task: Task, provider: str, wish: Wish) -> Ask:
    """What asks a model of the service for the picture, as `buy` wants it."""
    if provider == "openai":
        service = task.resource(openai.connect)
        if wish.pictures:
            return lambda model: service.edit(model, wish.prompt, wish.pictures)
        return lambda model: service.generate(model, wish.prompt)
    native: Gemini | LaoZhang
    if provider == "gemini":
        native = task.resource(gemini.connect)
    else:
        native = task.resource(laozhang.connect)
    return lambda model: native.edit(model, wish.prompt, wish.pictures, wish.options)


def picture_of(task: Task, bought: Bought) -> Picture:
    """The picture in an answer; one that is hosted elsewhere is fetched."""
    if bought.provider == "openai":
        return openai.pictures(bought.body)[0]
    if bought.provider == "gemini":
        return gemini.picture(bought.body)
    folder = task.settings.temp_dir

    def fetch(url: str) -> Picture:
        return fetching.fetch_picture(url, folder, max_bytes=MAX_BYTES, private=bought.is_sandbox)

    return laozhang.picture(bought.body, fetch)

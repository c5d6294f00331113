"""Having a picture made of a prompt, or of another picture and a prompt."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from darkroom.errors import Invalid
from darkroom.gated import files
from darkroom.gated.pictures import opened
from darkroom.providers import fetching, gemini, laozhang, openai
from darkroom.providers.buying import Ask, Bought, buy
from darkroom.providers.gemini import Gemini
from darkroom.providers.laozhang import LaoZhang
from darkroom.providers.pictures import Picture
from darkroom.publishing.orders import Order
from darkroom.queue.task import Task
from darkroom.storage import images, temporary
from darkroom.storage.assets import StoredFile

QUALITY = 90
MAX_BYTES = 64 * 1024 * 1024


def made(task: Task, order: Order) -> Bought:
    """The answer with the picture: the one there is, or else one that is bought now.

    Raises
    ------
    DarkroomError
        What `buy` raises.
    """
    provider = task.settings.publishing.provider
    return buy(
        task,
        provider=provider,
        operation="generate" if order.source_asset_id is None else "edit",
        key=order.answer_key,
        models=_models(task, provider),
        ask=_ask(task, provider, order.prompt, _sources(task, order)),
    )


def stored(task: Task, order: Order, bought: Bought) -> StoredFile:
    """The picture as a JPEG without metadata: WordPress would make captions of that.

    Raises
    ------
    Wanting
        When the answer holds no picture that can be shown.
    """
    with temporary.folder(task.settings.temp_dir) as folder:
        came, jpeg = folder / "came", folder / "picture.jpg"
        came.write_bytes(_picture(task, bought, folder).data)
        _, pixels = opened(came, max_pixels=task.settings.max_pixels)
        images.save(pixels, jpeg, images.JPEG, quality=QUALITY)
        key = f"publishing/{order.publication_id}/{order.answer_key}.jpg"
        size = (pixels.shape[1], pixels.shape[0])
        return files.put(task, jpeg, mime=images.JPEG, key=key, pixels=size)


def picture_of(task: Task, asset_id: UUID) -> Picture:
    """A stored picture as it goes out."""
    with files.original(task, asset_id) as path:
        return Picture(path.read_bytes(), images.JPEG)


def _sources(task: Task, order: Order) -> Sequence[Picture]:
    return [picture_of(task, order.source_asset_id)] if order.source_asset_id else []


def _models(task: Task, provider: str) -> Sequence[str]:
    for known in task.settings.providers.with_models:
        if known.name == provider:
            return known.models["image"]
    raise Invalid(f"There is no provider {provider!r}.", "provider")


def _ask(task: Task, provider: str, prompt: str, sources: Sequence[Picture]) -> Ask:
    if provider == "openai":
        service = task.resource(openai.connect)
        if sources:
            return lambda model: service.edit(model, prompt, sources)
        return lambda model: service.generate(model, prompt)
    native: Gemini | LaoZhang
    if provider == "gemini":
        native = task.resource(gemini.connect)
    else:
        native = task.resource(laozhang.connect)
    return lambda model: native.edit(model, prompt, sources)


def _picture(task: Task, bought: Bought, folder: Path) -> Picture:
    """The picture in an answer; one that is hosted elsewhere is fetched."""
    if bought.provider == "openai":
        return openai.pictures(bought.body)[0]
    if bought.provider == "gemini":
        return gemini.picture(bought.body)

    def fetch(url: str) -> Picture:
        return fetching.fetch_picture(url, folder, max_bytes=MAX_BYTES, private=bought.is_sandbox)

    return laozhang.picture(bought.body, fetch)

"""What a picture is asked to be: checked, normalised, and the key that equal wishes share."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from darkroom.errors import Invalid
from darkroom.media.generation import shapes
from darkroom.media.generation.shapes import RATIOS, Size
from darkroom.media.generation.styles import STYLES
from darkroom.settings import ProvidersSettings, Settings
from darkroom.web.words import N_

Json = dict[str, Any]

MOST_LETTERS = 4000
SIDES = (256, 2048)
STEEPEST = 3
LARGEST_SEED = 2**31 - 1
TITLE, STEM = 80, 40

_BOTH = N_("Send width and height together, or neither of them.")
_EITHER = N_("Send either aspect_ratio, or width and height.")
_STEEP = N_("No side of a picture may be more than three times the other.")


@dataclass(frozen=True)
class Parameters:
    """A picture that is asked for; equal ones are the same picture.

    Parameters
    ----------
    model
        The one that is asked first; those after it in the provider's chain take over when it is
        gone.
    is_sandbox
        Whether the sandbox stands in for the provider: what it draws is not the real picture.
    """

    prompt: str
    negative_prompt: str
    style: str | None
    aspect_ratio: str | None
    width: int | None
    height: int | None
    seed: int | None
    provider: str
    model: str
    is_sandbox: bool = False

    @property
    def as_json(self) -> Json:
        """As it is stored; `Parameters(**it)` is the same."""
        asked = asdict(self)
        if not self.is_sandbox:
            # As before there was the field: what was bought then is found, and others can read it.
            del asked["is_sandbox"]
        return asked

    @property
    def key(self) -> str:
        """The MD5 of the parameters: it names a picture, and guards nothing."""
        canonical = json.dumps(
            self.as_json, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return hashlib.md5(canonical.encode(), usedforsecurity=False).hexdigest()

    @property
    def told(self) -> str:
        """What the model is told."""
        style = f"\n\nMake it {STYLES[self.style].told}." if self.style else ""
        avoided = f"\n\nLeave out: {self.negative_prompt}." if self.negative_prompt else ""
        return f"{self.prompt}{style}{avoided}"

    @property
    def size(self) -> Size | None:
        """Exactly so wide and high, where that was asked for."""
        return None if self.width is None or self.height is None else (self.width, self.height)

    @property
    def ratio(self) -> str | None:
        """The ratio that the model is asked for; None: as it likes it."""
        return self.aspect_ratio if self.size is None else shapes.nearest(self.size)

    @property
    def title(self) -> str:
        """What a list calls it."""
        return shortened(self.prompt)

    @property
    def stem(self) -> str:
        """The name of its file, without the suffix."""
        plain = unicodedata.normalize("NFKD", self.prompt).encode("ascii", "ignore").decode()
        words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
        return words[:STEM].rstrip("-") or "picture"


def parse(sent: Mapping[str, Any], settings: Settings) -> Parameters:
    """What was sent, by JSON or by a form; what is left out is as usual, what is unknown is not
    looked at.

    Raises
    ------
    Invalid
        Which names the field.
    """
    ratio = _one_of(sent, "aspect_ratio", RATIOS)
    width, height = _size(sent, ratio)
    models = models_of(settings.providers)
    provider = _one_of(sent, "provider", models) or settings.media.provider
    return Parameters(
        prompt=text(sent, "prompt", least=1),
        negative_prompt=text(sent, "negative_prompt").rstrip("."),
        style=_one_of(sent, "style", STYLES),
        aspect_ratio=ratio,
        width=width,
        height=height,
        seed=_whole(sent, "seed", 0, LARGEST_SEED),
        provider=provider,
        model=_one_of(sent, "model", models[provider]) or models[provider][0],
        is_sandbox=provider in settings.providers.sandboxed,
    )


def stored(asked: Json, providers: ProvidersSettings) -> Parameters:
    """A wish as its request keeps it. Who stands in is as it is now: a key may have come since."""
    return Parameters(**{**asked, "is_sandbox": asked["provider"] in providers.sandboxed})


def models_of(providers: ProvidersSettings) -> Mapping[str, Sequence[str]]:
    """The models that make pictures, the best first, by provider."""
    return {each.name: each.models["image"] for each in providers.with_models}


def chain(wish: Parameters, providers: ProvidersSettings) -> Sequence[str]:
    """The model of a wish, and those that take over when it is gone."""
    known = models_of(providers)[wish.provider]
    return known[known.index(wish.model) :] if wish.model in known else (wish.model,)


def text(sent: Mapping[str, Any], name: str, *, least: int = 0) -> str:
    """A text of a request, its white space and its letters normalised."""
    given = sent.get(name)
    if given is None:
        given = ""
    if not isinstance(given, str):
        raise Invalid(f"{name} must be a text.", name)
    # What no database keeps: NUL, and halves of characters.
    kept = given.replace("\0", "").encode(errors="replace").decode()
    found = " ".join(unicodedata.normalize("NFC", kept).split())
    if not least <= len(found) <= MOST_LETTERS:
        raise Invalid(_letters(name, least), name)
    return found


def words(sent: Mapping[str, Any]) -> Json:
    """A prompt that is to be made better, and its style; raises as `parse`."""
    return {"prompt": text(sent, "prompt", least=1), "style": _one_of(sent, "style", STYLES)}


def shortened(words: str) -> str:
    """A text as lists show it."""
    return words if len(words) <= TITLE else f"{words[: TITLE - 1].rstrip()}…"


def _letters(name: str, least: int) -> str:
    if least:
        return f"{name} must be a text of {least} to {MOST_LETTERS} characters."
    return f"{name} must be a text of at most {MOST_LETTERS} characters."


def _one_of(sent: Mapping[str, Any], name: str, known: Collection[str]) -> str | None:
    given = sent.get(name)
    if given in (None, ""):
        return None
    if not isinstance(given, str) or given not in known:
        raise Invalid(f"{name} must be one of {', '.join(known)}, not {given!r}.", name)
    return given


def _whole(sent: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    given = sent.get(name)
    if given in (None, ""):
        return None
    found = int(given) if isinstance(given, str) and re.fullmatch("[0-9]{1,10}", given) else given
    if isinstance(found, bool) or not isinstance(found, int) or not low <= found <= high:
        raise Invalid(f"{name} must be a whole number from {low} to {high}, not {given!r}.", name)
    return found


def _size(sent: Mapping[str, Any], ratio: str | None) -> tuple[int, int] | tuple[None, None]:
    width, height = _whole(sent, "width", *SIDES), _whole(sent, "height", *SIDES)
    if width is None and height is None:
        return None, None
    if width is None or height is None:
        raise Invalid(_BOTH, "height" if height is None else "width")
    if ratio is not None:
        raise Invalid(_EITHER, "aspect_ratio")
    if max(width, height) > STEEPEST * min(width, height):
        raise Invalid(_STEEP, "width" if width > height else "height")
    return width, height

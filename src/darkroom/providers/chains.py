"""Chains of models: the best first, and the next when one is withdrawn."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from darkroom.db.sessions import Database
from darkroom.db.statements import statement
from darkroom.errors import ModelGone
from darkroom.queue.calls import Call, enqueue

BELIEVED_SECONDS = 3600.0
"""A model that was found gone is left alone for so long; it may have been a slip."""


def there(database: Database, provider: str, models: Sequence[str]) -> list[str]:
    """The models of a chain that were not found gone a short time ago, in order.

    Raises
    ------
    ModelGone
        When none is left.
    """
    with database.session() as session:
        asked = {"provider": provider, "believed_seconds": BELIEVED_SECONDS}
        gone = set(session.scalars(statement("providers/gone_models"), asked))
    left = [model for model in models if model not in gone]
    if not left:
        raise ModelGone(none_left(provider, models))
    return left


def note_gone(database: Database, provider: str, model: str, said: str) -> None:
    """Remember that a model is gone; alerts when that is news."""
    with database.session() as session:
        if mark(session, provider, model, is_there=False, note=said):
            alert(session, provider, model, said)


def mark(session: Session, provider: str, model: str, *, is_there: bool, note: str = "") -> bool:
    """Note whether a model is there; True when that is news (also the first time)."""
    told = {"provider": provider, "model": model, "note": note}
    asked = {**told, "is_there": is_there}
    news = session.execute(statement("providers/mark_model"), asked).first()
    if news is None:
        session.execute(statement("providers/confirm_model"), told)
    return news is not None


def absent(
    session: Session, provider: str, models: Sequence[str], there: set[str] | None
) -> list[str]:
    """Those of the models that are not there, noted and told if it is news. None: nobody knows."""
    if there is None:
        return []
    for model in models:
        note = "" if model in there else f"{provider} does not list the model {model} any more."
        if mark(session, provider, model, is_there=model in there, note=note) and note:
            alert(session, provider, model, note)
    return [model for model in models if model not in there]


def found(session: Session, provider: str, model: str) -> None:
    """Note that a model answered, if it was thought to be gone."""
    session.execute(statement("providers/found_model"), {"provider": provider, "model": model})


def alert(session: Session, provider: str, model: str, said: str) -> None:
    """Have the people who run this told that a model is gone, in the caller's transaction."""
    subject = f"The model {model} of {provider} is gone"
    text = (
        f"{said}\nThe next model of the chain is taken instead, if there is one. Name models that "
        f"exist in DARKROOM_{provider.upper()}_IMAGE_MODELS or _TEXT_MODELS."
    )
    call = Call("notifying.alert", "io", {"subject": subject, "text": text}, subject)
    enqueue(session, [call], run_id=None)


def none_left(provider: str, models: Sequence[str]) -> str:
    """What to say when a chain has come to its end."""
    return (
        f"None of the models {', '.join(models)} of {provider} exists any more. Name others in "
        f"DARKROOM_{provider.upper()}_IMAGE_MODELS or _TEXT_MODELS."
    )

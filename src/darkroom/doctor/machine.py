"""This machine and the store: disk, weights, whether files can be kept."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from darkroom.db.sessions import Database
from darkroom.doctor import disk
from darkroom.doctor.findings import Finding, fail, ok, warn
from darkroom.errors import Conflict, DarkroomError
from darkroom.settings import Settings
from darkroom.storage import sweeping
from darkroom.storage.store import Store, open_store

STORE_FIX = "Check the DARKROOM_S3_… settings, or who owns the folder of the files."
PROBE = b"Darkroom was here."


def examine(settings: Settings) -> Iterator[Finding]:
    """The home folder and the weights."""
    home = settings.home
    if not home.is_dir() or not os.access(home, os.W_OK):
        yield fail("home", f"{home} cannot be written.", "Set DARKROOM_HOME, or change its owner.")
    else:
        yield disk.examine("home disk", home)
    yield weights(settings)


def weights(settings: Settings) -> Finding:
    """Whether the models named in the settings are there and ready for this machine."""
    from darkroom.counting import counter

    try:
        files = counter.weight_files(settings)
        prepared = counter.is_prepared(settings)
    except DarkroomError as error:
        return fail("weights", error.message, "Add them with `darkroom weights add`.")
    if not prepared:
        return warn(
            "weights",
            "They are not prepared for this machine's processor; the first photo will wait for it. "
            "(A machine that counts on a CUDA device needs no preparation.)",
            "Run `darkroom weights prepare`.",
        )
    return ok("weights", f"{_named(files)} are there and prepared.")


def examine_store(settings: Settings, database: Database) -> Iterator[Finding]:
    """Whether files can be stored, read and removed, and whether the store is ours alone."""
    try:
        store = open_store(settings)
        _try(store)
        yield ok("storage", f"Files can be stored, read and removed ({store.bucket}).")
    except DarkroomError as error:
        yield fail("storage", error.message, STORE_FIX)
        return
    try:
        sweeping.refuse_others(database, store)
    except Conflict as error:
        yield warn("storage", error.message, "Give each installation a bucket of its own.")


def _try(store: Store) -> None:
    key = f"doctor/{uuid4()}"
    store.put(key, io.BytesIO(PROBE), "text/plain")
    with store.open(key) as file:
        read = file.read()
    store.delete(key)
    if read != PROBE:
        raise DarkroomError("A file came back from the store other than it was put there.")


def _named(files: tuple[Path, ...]) -> str:
    return " and ".join(sorted({file.stem for file in files}))

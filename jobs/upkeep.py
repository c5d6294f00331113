"""Keeping house: cron jobs that delete what is over, and count what happened.

Each may be run by hand (`darkroom upkeep run`), has its schedule in UTC here, and another one, or
none, by a setting (`DARKROOM_CRON_UPKEEP_DELETE_FINISHED="30 2 * * *"`). Steps of dead workers are
rescued by every worker itself, all the time, and need no cron job.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from darkroom.catalog import removing
from darkroom.errors import Invalid, Permanent, Transient
from darkroom.media.generation import cache
from darkroom.providers import chains, checking, cloudinary
from darkroom.providers import retention as answers
from darkroom.providers.calls import calling_provider
from darkroom.queue import retention, rollups, tables
from darkroom.queue.cron import scheduled
from darkroom.queue.retention import Ages
from darkroom.queue.step import Save, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction
from darkroom.storage import sweeping
from darkroom.storage.store import open_store
from darkroom.variants import purging

Counts = Counter[str]


@scheduled("* * * * *")
@step(lane="io")
def roll_up(task: Task) -> Save:
    """Count the attempts of the last minutes for the dashboards."""
    rolled = rollups.roll_up(task.database, task.checkpoint)
    return _told(Counter(attempts=rolled))


@scheduled("20 3 * * *")
@step(lane="io")
def delete_finished(task: Task, days: float | None = None) -> Save:
    """Delete runs and steps that finished long ago."""
    ages = Ages.of(task.settings.upkeep, days)
    expected = max(retention.count_finished(task.database, ages)["steps"], 1)
    gone = Counts()
    for deleted in retention.delete_finished(task.database, ages):
        gone.update(deleted)
        task.progress(
            gone["steps"] / expected,
            "deleted {steps} steps and {runs} runs",
            steps=gone["steps"],
            runs=gone["runs"],
        )
    return _told(gone)


@scheduled("50 * * * *")
@step(lane="io")
def delete_expired(task: Task) -> Save:
    """Delete keys, links, limits, deliveries and rollups that have expired."""
    ages = Ages.of(task.settings.upkeep)
    return _told(_summed(task, retention.delete_expired(task.database, ages)))


@scheduled("40 3 * * *")
@step(lane="io")
def delete_orphans(task: Task, days: float | None = None) -> Save:
    """Delete stored files that nothing refers to."""
    grace = timedelta(days=task.settings.upkeep.orphan_days if days is None else days)
    store = task.resource(open_store)
    return _told(_summed(task, sweeping.sweep(task.database, store, grace)))


@scheduled("10 * * * *")
@step(lane="io")
def delete_temp_files(task: Task) -> Save:
    """Delete what killed processes left in this machine's folder for temporary files."""
    hours = timedelta(hours=task.settings.upkeep.temp_hours)
    return _told(sweeping.delete_temp_files(task.settings.temp_dir, hours))


@scheduled("25 3 * * *")
@step(lane="io")
def remove_versions(task: Task, days: float | None = None) -> Save:
    """Remove the pictures that articles showed long ago, here and at Cloudinary."""
    age = timedelta(days=task.settings.upkeep.version_days if days is None else days)
    for _ in removing.mark(task.database, age):
        task.checkpoint()
    gone, hosted = Counts(), task.settings.providers.cloudinary is not None
    while versions := removing.marked(task.database, hosted=hosted):
        for version in versions:
            is_left = version.public_id is not None and not _destroyed(task, version.public_id)
            removing.free(task.database, version, is_hosted=is_left)
            gone.update(versions=1)
            task.progress(0.0, "deleted {rows} so far", rows=gone["versions"])
    return _told(gone)


@scheduled("35 3 * * *")
@step(lane="io")
def purge_variants(task: Task, days: float | None = None) -> Save:
    """Remove the variants that were discarded when another one was unlocked."""
    age = timedelta(days=task.settings.variants.discarded_days if days is None else days)
    return _told(Counts(variants=purging.purge(task.database, age)))


@scheduled("45 * * * *")
@step(lane="io")
def clear_pictures(task: Task, days: float | None = None) -> Save:
    """Let go of generated pictures that nobody asked for lately, or that take too much room."""
    media = task.settings.media
    age = timedelta(days=media.cache_days if days is None else days)
    with task.database.session() as session:
        old, least = cache.clear(session, age), cache.trim(session, media.cache_bytes)
    freed = old.freed_bytes + least.freed_bytes
    return _told(Counts(pictures=old.removed + least.removed, freed_bytes=freed))


def _destroyed(task: Task, public_id: str) -> bool:
    """Whether Cloudinary has the picture no more; without an account nobody can ask it."""
    if task.settings.providers.cloudinary is None:
        return False
    with calling_provider(task, "cloudinary", "destroy"):
        task.resource(cloudinary.connect).destroy(public_id)
    return True


@scheduled("30 4 * * *")
@step(lane="io")
def delete_answers(task: Task) -> Save:
    """Delete the answers of outside services that were bought long ago."""
    age = timedelta(days=task.settings.upkeep.answer_days)
    store = task.resource(open_store)
    batches = answers.delete_answers(task.database, store, task.settings.spool_dir, age)
    return _told(_summed(task, batches))


@scheduled("15 5 * * 1")
@step(lane="io")
def check_models(task: Task) -> Save:
    """Look whether the models of the settings still exist; those that are gone raise an alert."""
    found, silent = _listed(task)

    def save(tx: Transaction) -> None:
        gone = [
            f"{chosen.name} {model}"
            for chosen in task.settings.providers.with_models
            for model in chains.absent(
                tx.session, chosen.name, checking.wanted(chosen), found.get(chosen.name)
            )
        ]
        tx.result(checked=len(found), gone=gone, silent=silent)

    return save


def _listed(task: Task) -> tuple[dict[str, set[str]], dict[str, str]]:
    """The models of each service; and what went wrong with those that did not tell."""
    found, silent = {}, {}
    for chosen in task.settings.providers.with_models:
        try:
            with calling_provider(task, chosen.name, "models"):
                found[chosen.name] = checking.LISTS[chosen.name](task.settings)
        except (Transient, Permanent, Invalid) as error:
            silent[chosen.name] = error.message
    return found, silent


@scheduled("5 4 * * *")
@step(lane="io")
def measure_tables(task: Task) -> Save:
    """Look how many dead rows the tables carry, and what keeps them from being cleaned."""
    with task.database.session() as session:
        found = tables.measure(session)
    return lambda tx: tx.result(**found)


def _summed(task: Task, batches: Iterator[Counts]) -> Counts:
    """All that the batches deleted; stops between two of them when the step is to end."""
    gone = Counts()
    for deleted in batches:
        gone.update(deleted)
        task.progress(0.0, "deleted {rows} so far", rows=gone.total())
    return gone


def _told(gone: Counts) -> Save:
    return lambda tx: tx.result(**gone)

"""Steps that tests run in real worker processes. They leave marks in the table `marks`."""

import os
import signal
from decimal import Decimal
from pathlib import Path

from sqlalchemy import text

from darkroom.errors import Invalid, NotNow, Permanent, Transient
from darkroom.providers import buying, gemini
from darkroom.queue import child
from darkroom.queue.gates.call import calling
from darkroom.queue.settle import now
from darkroom.queue.step import Retry, Save, step
from darkroom.queue.task import Task
from darkroom.queue.transaction import Transaction


def mark(tx: Transaction, word: str) -> None:
    """Leave a mark in the step's own transaction."""
    tx.session.execute(text("INSERT INTO marks (word) VALUES (:word)"), {"word": word})


@step(lane="io")
def note(task: Task, word: str) -> Save:
    """Leave one mark."""
    return lambda tx: mark(tx, word)


@step(lane="io")
def relay(task: Task, word: str, left: int) -> Save:
    """Leave a mark and enqueue the next of a chain."""

    def save(tx: Transaction) -> None:
        mark(tx, word)
        if left:
            tx.enqueue(relay.call(word=word, left=left - 1))

    return save


@step(lane="io", retry=Retry(attempts=3))
def stumble(task: Task, times: int) -> Save:
    """Fail with Transient the given number of times, then leave a mark."""
    if task.lease.burned < times:
        raise Transient(f"stumbled {task.lease.burned + 1}")
    return lambda tx: mark(tx, "recovered")


@step(lane="io")
def refuse(task: Task, kind: str) -> Save:
    """Fail at once with the named error."""
    raise {"permanent": Permanent, "invalid": Invalid, "bug": ZeroDivisionError}[kind]("no way")


@step(lane="io")
def wait_for_file(task: Task, path: str) -> Save:
    """Be put back until the file exists."""
    if not Path(path).exists():
        raise NotNow("waiting for the file", now(task.database))
    return lambda tx: mark(tx, "found")


@step(lane="io")
def scatter(task: Task, words: list[str], failing: list[str]) -> Save:
    """Fan out one child a word, then gather them."""

    def save(tx: Transaction) -> None:
        tx.fan_out(
            [
                piece.call(word=word, fails=word in failing, label=word, share=1 / len(words))
                for word in words
            ],
            then=gather.call(),
        )

    return save


@step(lane="io", retry=Retry(attempts=1))
def piece(task: Task, word: str, fails: bool) -> Save:
    """A child: fails, or hands its word to the callback."""
    if fails and not Path(os.environ["MENDED"]).exists():
        raise Permanent(f"{word} is broken")

    def save(tx: Transaction) -> None:
        mark(tx, word)
        tx.result(word=word)

    return save


@step(lane="io", retry=Retry(attempts=1))
def scrawl(task: Task, word: str) -> Save:
    """A child whose save fails for words that begin with a "!", after it has left its mark."""

    def save(tx: Transaction) -> None:
        mark(tx, word)
        if word.startswith("!"):
            raise Permanent(f"{word} cannot be written")

    return save


@step(lane="io")
def scribble(task: Task, words: list[str]) -> Save:
    """Many steps side by side that end at about the same moment."""
    return lambda tx: tx.fan_out([scrawl.call(word=word) for word in words], then=gather.call())


@step(lane="io")
def gather(task: Task) -> Save:
    """The callback: one mark that tells what the children handed over."""
    ended = task.children()
    words = "+".join(outcome.result.get("word", f"!{outcome.label}") for outcome in ended)

    def save(tx: Transaction) -> None:
        mark(tx, f"gathered {words}")
        tx.result_of_run(words=words)

    return save


@step(lane="gpu")
def linger(task: Task, path: str) -> Save:
    """Say that it has begun, then go on until the file exists; a checkpoint every moment."""
    _begin(path)
    while not Path(path).exists():
        task.progress(0.5, "lingering")
        task.stop.wait(0.02)
    return lambda tx: mark(tx, "lingered")


@step(lane="gpu")
def stubborn(task: Task, path: str) -> Save:
    """Like `linger`, but without a checkpoint."""
    _begin(path)
    while not Path(path).exists():
        task.stop.wait(0.02)
    return lambda tx: mark(tx, "stubborn")


@step(lane="gpu")
def suicide(task: Task) -> Save:
    """Kill the worker that runs it, every time."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


@step(lane="cpu")
def sleeper(task: Task, path: str) -> Save:
    """Run a child process that writes its pid and would sleep for an hour."""
    child.run(task, ["/bin/sh", "-c", f"echo $$ > '{path}' && exec sleep 3600"])
    return lambda tx: mark(tx, "slept")


def _begin(path: str) -> None:
    """Add our pid to the file. Once it is there it holds a pid: tests freeze who wrote it."""
    begun, aside = Path(f"{path}.begun"), Path(f"{path}.{os.getpid()}")
    aside.write_text(f"{os.getpid()}\n")
    try:
        begun.hardlink_to(aside)
    except FileExistsError:
        with begun.open("a") as file:
            file.write(aside.read_text())


@step(lane="io")
def call_outside(task: Task, word: str, mended: str, pace: str | None = None) -> Save:
    """Call a provider that answers once the file exists; marks when the call began and ended."""
    with calling(task, provider="gemini", operation="edit", pace=pace) as call:
        began = now(task.database).timestamp()
        if not Path(mended).exists():
            raise Transient("the provider is down")
        call.charge(Decimal("0.04"))
        ended = now(task.database).timestamp()
    return lambda tx: mark(tx, f"{word} {began} {ended}")


@step(lane="gpu")
def hold_pace(task: Task, path: str) -> Save:
    """Be in a paced call until the file exists."""
    with calling(task, provider="gemini", operation="edit", pace="variants"):
        _begin(path)
        while not Path(path).exists():
            task.checkpoint()
            task.stop.wait(0.02)
    return lambda tx: mark(tx, "held 0 0")


@step(lane="io")
def purchase(task: Task, key: str, go: str) -> Save:
    """Buy a picture, wait until the file `go` exists, and leave a mark that names its bytes."""
    client = task.resource(gemini.connect)
    bought = buying.buy(
        task,
        provider="gemini",
        operation="edit",
        key=key,
        models=task.settings.providers.gemini.models["image"],
        ask=lambda model: client.edit(model, "white background"),
    )
    Path(f"{go}.bought").touch()
    while not Path(go).exists():
        task.stop.wait(0.02)
    found = gemini.picture(bought.body).data.decode()
    return lambda tx: mark(tx, f"{bought.model} {found}")

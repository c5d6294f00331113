"""Programs that a step runs: none outlives its step, nor its worker."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def started(
    command: Sequence[str],
    folder: Path,
    *,
    out: IO[bytes] | int,
    said: IO[bytes],
    environ: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that works in a folder, with all it started dead when the block ends.

    Parameters
    ----------
    out, said : take its two channels; `subprocess.PIPE` is the block's to read
    environ : its variables; ours where None
    """
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "--", *command],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=said,
        start_new_session=True,
    )
    # Popen's own block waits for the program, which by then is dead.
    with process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

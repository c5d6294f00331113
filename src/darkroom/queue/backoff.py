"""How long a failed step waits: exponential backoff with full jitter.

Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import random


@dataclass(frozen=True)
class Backoff:
    """A wait drawn evenly from 0 to `base * 2**(attempt - 1)`, at most `cap` (seconds)."""

    base: float
    cap: float

    def ceiling(self, attempt: int) -> float:
        """The longest wait after the given failed attempt (1 for the first), in seconds."""
        doublings = min(attempt - 1, 60)
        return min(self.cap, self.base * 2.0**doublings)

    def delay(
        self,
        attempt: int,
        retry_after: timedelta | None = None,
        draw: Callable[[], float] = random,
    ) -> timedelta:
        """The wait to take; never shorter than what the other side asked for."""
        wait = timedelta(seconds=draw() * self.ceiling(attempt))
        return max(wait, retry_after or timedelta())

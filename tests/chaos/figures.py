"""What the scenarios measured, for the end of the test report."""

from dataclasses import dataclass, field

REPORTS: list["Report"] = []


@dataclass
class Report:
    """One scenario: how much went on, what was done to it, how long recovery took (seconds)."""

    name: str
    runs: int
    steps: int
    attempts: int
    faults: int
    lost: int
    repeats: int
    seconds: float
    recoveries: list[float] = field(default_factory=list)
    remark: str = ""

    def line(self) -> str:
        """The report as a line of the table."""
        counts = (self.runs, self.steps, self.attempts, self.faults, self.lost, self.repeats)
        numbers = "".join(f"{count:>9}" for count in counts)
        times = "".join(f"{_percentile(self.recoveries, part):>8}" for part in (0.5, 0.99, 1))
        return f"{self.name:<36}{numbers}{self.seconds:>8.0f}{times}  {self.remark}".rstrip()


def heading() -> str:
    """The names of the columns."""
    counts = ("runs", "steps", "attempts", "faults", "lost", "repeats")
    names = "".join(f"{name:>9}" for name in counts)
    return f"{'scenario':<36}{names}{'seconds':>8}{'p50':>8}{'p99':>8}{'max':>8}"


def _percentile(values: list[float], part: float) -> str:
    """Nearest rank; a dash when there is nothing to rank."""
    if not values:
        return "-"
    ranked = sorted(values)
    return f"{ranked[min(len(ranked) - 1, int(part * len(ranked)))]:.2f}"

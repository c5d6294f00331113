"""The schema of the database against the files of this checkout."""

from darkroom.db import migrate
from darkroom.doctor.findings import Finding, fail, ok, warn


def examine(url: str) -> list[Finding]:
    """Whether the migrations are those of this checkout."""
    pending = migrate.status(url).pending
    if pending:
        return [
            fail(
                "schema",
                f"{migrate.missing(pending)}.",
                "Run `darkroom db migrate`.",
            )
        ]
    found = migrate.differences(url)
    findings = []
    if found.edited:
        findings.append(
            warn(
                "schema",
                f"Edited after they were applied: {', '.join(found.edited)}. The database does not "
                "hold what these files say.",
                "Take the edits back, and put them into a migration of their own.",
            )
        )
    if found.foreign:
        findings.append(
            warn(
                "schema",
                f"The database is newer than this checkout: it has {', '.join(found.foreign)}.",
                "Bring this checkout up to date.",
            )
        )
    return findings or [ok("schema", "It is that of this checkout.")]

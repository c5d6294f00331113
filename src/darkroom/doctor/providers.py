"""The outside services, as far as can be told without calling them."""

from collections.abc import Iterator

from darkroom.db.sessions import Database, driver
from darkroom.doctor.findings import Finding, ok, warn
from darkroom.settings import Settings

BREAKERS = "SELECT provider, operation, state FROM breakers ORDER BY provider, operation"
GONE = "SELECT provider, model FROM provider_models WHERE NOT is_there ORDER BY provider, model"


def examine(settings: Settings, database: Database) -> Iterator[Finding]:
    """Which are real, how their breakers stand, and which models of the settings are gone."""
    chosen = settings.providers.with_models
    real = [each.name for each in chosen if not each.is_sandbox]
    sandboxed = ", ".join(settings.providers.sandboxed) or "none"
    yield ok(
        "providers", f"Real: {', '.join(real) or 'none'}. The sandbox stands in for: {sandboxed}."
    )
    yield ok("providers", _breakers(database))
    named = {
        (each.name, model) for each in chosen for chain in each.models.values() for model in chain
    }
    with database.session() as session:
        gone = driver(session).execute(GONE).fetchall()
    for provider, model in gone:
        if (provider, model) in named:
            yield warn(
                "providers",
                f"The model {model} of {provider} is gone.",
                f"Name another in DARKROOM_{provider.upper()}_IMAGE_MODELS or _TEXT_MODELS; "
                "`darkroom providers check` tells which exist.",
            )


def _breakers(database: Database) -> str:
    """The state of each breaker; one that never heard of a failure may have no row."""
    with database.session() as session:
        rows = driver(session).execute(BREAKERS).fetchall()
    states = (f"{name} {operation} {state.replace('_', ' ')}" for name, operation, state in rows)
    return f"Their breakers: {', '.join(states) or 'none was ever needed'}."

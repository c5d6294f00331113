"""The WordPress sites of an installation: the settings' own, and those that were added.

While none is set the settings' site is the sandbox's. A password that was given is never shown
again; a site that is removed keeps its row, for what was published there, but not its secret.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from darkroom.accounts import audit
from darkroom.accounts.audit import Actor
from darkroom.db.texts import is_storable
from darkroom.errors import Conflict, Invalid, NotFound
from darkroom.providers import addresses, wordpress
from darkroom.providers.http import Timeouts
from darkroom.providers.wordpress import WordPress
from darkroom.publishing import credentials
from darkroom.publishing.models import WordPressSite
from darkroom.settings import Settings, WordPressSettings

Json = dict[str, Any]

OWN = "default"
"""What the settings' site is called."""
WAYS = ("application", "jwt")
LONGEST, LONGEST_NAME = 1000, 100
TEXTS = ("name", "base_url", "username", "endpoint")


@dataclass(frozen=True)
class Site:
    """A site that something is published on; without an id it is the settings' own."""

    id: int | None
    name: str
    endpoint: str
    login: WordPressSettings

    @property
    def host(self) -> str:
        """Where it is, as people know it."""
        return urlsplit(self.login.base_url).netloc

    @property
    def provider(self) -> str:
        """Whose gates are asked: each site has its own breakers."""
        return "wordpress" if self.id is None else f"wordpress {self.name}"


class Doors:
    """The clients of the sites, one for each login, so that each token is asked for once."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._clients: dict[WordPressSettings, WordPress] = {}
        self._lock = threading.Lock()

    def of(self, site: Site) -> WordPress:
        """The client of a site."""
        with self._lock:
            if site.login not in self._clients:
                self._clients[site.login] = wordpress.site(site.login, self._timeouts)
            return self._clients[site.login]


def doors(settings: Settings) -> Doors:
    """The clients of this process."""
    return Doors(Timeouts.of(settings.providers))


def listing(session: Session) -> Sequence[WordPressSite]:
    """The sites that were added, by name."""
    query = select(WordPressSite).where(WordPressSite.removed_at.is_(None))
    return session.scalars(query.order_by(WordPressSite.name)).all()


def named(session: Session, name: str | None) -> WordPressSite | None:
    """The site that a request means: None for the settings' own.

    Without a name it is the default one.

    Raises
    ------
    NotFound
        When there is no site of that name.
    """
    if name == OWN:
        return None
    if name is not None and not is_storable(name):
        raise NotFound("There is no such site.", "site")
    query = select(WordPressSite).where(WordPressSite.removed_at.is_(None))
    if name is None:
        return session.scalar(query.where(WordPressSite.is_default))
    found = session.scalar(query.where(WordPressSite.name == name))
    if found is None:
        raise NotFound(f"There is no site {name!r}.", "site")
    return found


def name_of(session: Session, site_id: int | None) -> str | None:
    """What requests call a site; None when it was removed."""
    if site_id is None:
        return OWN
    row = session.get_one(WordPressSite, site_id)
    return row.name if row.removed_at is None else None


def is_copied(settings: Settings, site_id: int | None) -> bool:
    """Whether a site's pictures are copied to a bucket; the sandbox's has but those of its site."""
    providers = settings.providers
    is_sandbox = site_id is None and providers.wordpress.is_sandbox
    return is_sandbox or not providers.gcs.is_sandbox


def opened(session: Session, settings: Settings, site_id: int | None) -> Site:
    """A site, ready to be called.

    Raises
    ------
    NotFound
        When it was removed.
    Permanent
        When its credentials cannot be read any more.
    """
    if site_id is None:
        return Site(None, OWN, settings.publishing.endpoint, settings.providers.wordpress)
    row = of(session, site_id)
    secret = credentials.unseal(settings, row.secret, f"the site {row.name!r}")
    password, app_password = (secret, None) if row.way == "jwt" else (None, secret)
    login = WordPressSettings(row.base_url, row.username, password, app_password)
    return Site(row.id, row.name, row.endpoint, login)


def of(session: Session, site_id: int, *, lock: bool = False) -> WordPressSite:
    """A site that was added and not removed; `NotFound` for any other."""
    found = session.get(WordPressSite, site_id, with_for_update=lock)
    if found is None or found.removed_at is not None:
        raise NotFound("There is no such site.", "site")
    return found


def add(session: Session, settings: Settings, given: Mapping[str, Any], actor: Actor) -> int:
    """Add a site; answers its id. The first one becomes the default.

    Parameters
    ----------
    given
        `name`, `base_url`, `username`, `way`, `secret`, and if wanted `endpoint` and `is_default`.
    """
    values = {"endpoint": settings.publishing.endpoint, **given}
    row = WordPressSite(**{name: _text(values, name) for name in TEXTS})
    _check_name(session, row.name)
    row.base_url, row.way = _url(row.base_url), _way(values)
    row.secret = credentials.seal(settings, _text(values, "secret"))
    is_first = not listing(session)
    session.add(row)
    session.flush()
    if _flag(values, is_first):
        _make_default(session, row)
    audit.write(session, actor=actor, action="publishing.site.add", subject=row.name)
    return row.id


def change(
    session: Session, settings: Settings, site_id: int, given: Mapping[str, Any], actor: Actor
) -> None:
    """Change what is given of a site; raises as `add`.

    Another server is not shown the secret that was meant for the one before.
    """
    row = of(session, site_id, lock=True)
    server = _server(row.base_url)
    for name in TEXTS:
        if name in given and _text(given, name) != getattr(row, name):
            _check_name(session, _text(given, name) if name == "name" else "")
            setattr(row, name, _text(given, name))
    row.base_url = _url(row.base_url)
    if _server(row.base_url) != server and "secret" not in given:
        raise Invalid("base_url names another server: give the secret for that one.", "secret")
    if "way" in given:
        row.way = _way(given)
    if "secret" in given:
        row.secret = credentials.seal(settings, _text(given, "secret"))
    row.updated_at = func.clock_timestamp()
    if _flag(given, False):
        _make_default(session, row)
    audit.write(session, actor=actor, action="publishing.site.change", subject=row.name)
    session.flush()


def remove(session: Session, site_id: int, actor: Actor) -> None:
    """Remove a site and forget its secret; what was published there stays."""
    row = of(session, site_id, lock=True)
    row.removed_at, row.secret, row.is_default = func.clock_timestamp(), "", False
    audit.write(session, actor=actor, action="publishing.site.remove", subject=row.name)
    session.flush()


def _make_default(session: Session, row: WordPressSite) -> None:
    others = update(WordPressSite).where(WordPressSite.is_default)
    session.execute(others.values(is_default=False))
    row.is_default = True
    session.flush()


def _check_name(session: Session, name: str) -> None:
    taken = select(WordPressSite.id).where(
        WordPressSite.name == name, WordPressSite.removed_at.is_(None)
    )
    if name == OWN or session.scalar(taken) is not None:
        raise Conflict(f"There is a site {name!r} already.", "name")


def _text(given: Mapping[str, Any], name: str) -> str:
    value, most = given.get(name), LONGEST_NAME if name == "name" else LONGEST
    text = value.strip() if isinstance(value, str) and is_storable(value) else ""
    if not 1 <= len(text) <= most:
        raise Invalid(f"{name} must be a text of 1 to {most} characters.", name)
    return text


def _url(given: str) -> str:
    try:
        return addresses.parse(given).url.rstrip("/")
    except Invalid as error:
        raise Invalid(error.message, "base_url") from error


def _server(base_url: str) -> tuple[bool, str, int] | None:
    """Whom an address leads to; None for one of before they were checked."""
    try:
        found = addresses.parse(base_url)
    except Invalid:
        return None
    return found.secure, found.host, found.port


def _way(given: Mapping[str, Any]) -> str:
    way = given.get("way")
    if way not in WAYS:
        raise Invalid(
            "way must be “application” (an application password) or “jwt” (the JWT plugin).", "way"
        )
    return str(way)


def _flag(given: Mapping[str, Any], default: bool) -> bool:
    value = given.get("is_default", default)
    if not isinstance(value, bool):
        raise Invalid("is_default must be true or false.", "is_default")
    return value

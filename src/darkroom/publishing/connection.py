"""Whether a site lets us in, and which types of posts it shows us then."""

from collections.abc import Sequence
from dataclasses import dataclass

from darkroom.errors import DarkroomError
from darkroom.providers import wordpress
from darkroom.providers.http import Timeouts
from darkroom.providers.wordpress import PostType
from darkroom.settings import WordPressSettings

PATIENCE = Timeouts(connect=5, read=20, total=20)
"""Somebody looks at the screen meanwhile."""
CORE = {"attachment", "nav_menu_item"}


@dataclass(frozen=True)
class Connection:
    """What came of a try, in words, and the types of posts at their places in the API."""

    is_reached: bool
    message: str
    types: Sequence[str] = ()


def tested(login: WordPressSettings) -> Connection:
    """Enter a site and read its types; what is wrong is said, not raised."""
    try:
        found = wordpress.site(login, PATIENCE).types().values()
    except DarkroomError as error:
        return Connection(False, error.message)
    there = sorted({each.rest_base for each in found if _is_for_people(each)})
    return Connection(True, f"{login.base_url} lets {login.user} in.", there)


def _is_for_people(type: PostType) -> bool:
    """Not one that WordPress keeps its own furniture in."""
    return type.name not in CORE and not type.name.startswith("wp_")

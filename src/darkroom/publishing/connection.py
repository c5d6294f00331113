"""Whether a site lets us in, and which types of posts and fields it shows us then."""

from collections.abc import Sequence
from dataclasses import dataclass

from darkroom.errors import DarkroomError
from darkroom.providers import acf, wordpress
from darkroom.providers.http import Timeouts
from darkroom.providers.wordpress import PostType
from darkroom.publishing.fields import USUAL
from darkroom.publishing.fields import PostType as Mapped
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


@dataclass(frozen=True)
class Shown:
    """The custom fields that a site shows of a type of post, by what they can hold.

    Parameters
    ----------
    problem
        Why they could not be read, in words.
    """

    pictures: Sequence[str] = ()
    lists: Sequence[str] = ()
    others: Sequence[str] = ()
    problem: str = ""

    def mapped(self, endpoint: str) -> Mapped:
        """The type set up with them; somebody looks it over."""
        gallery = self.lists[0] if len(self.lists) == 1 else None
        return Mapped(endpoint, self.pictures or [USUAL], gallery)


def shown(login: WordPressSettings, endpoint: str) -> Shown:
    """Read the custom fields of a type of post; what is wrong is said, not raised."""
    try:
        found = acf.types_of(wordpress.site(login, PATIENCE), endpoint)
    except DarkroomError as error:
        return Shown(problem=error.message)
    lists = [name for name, types in found.items() if "array" in types]
    pictures = [name for name, types in found.items() if types - {"null"} == {"integer"}]
    others = [name for name in found if name not in {*lists, *pictures}]
    return Shown(pictures, lists, others)


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

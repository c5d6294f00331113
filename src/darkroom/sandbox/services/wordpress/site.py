"""What a site holds. Any site is there, with posts of every number up to 9999."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from darkroom.sandbox.state import Sandbox

Json = dict[str, Any]

TYPES = {
    "post": ("posts", "Posts"),
    "page": ("pages", "Pages"),
    "attachment": ("media", "Media"),
    "planessemanales": ("planessemanales", "Planes semanales"),
    "productos": ("productos", "Productos"),
}
"""Types of posts: their place in the API, and what they are called."""
POSTS = {base: name for name, (base, _) in TYPES.items() if name != "attachment"}
LAST = 9999
SCALED = 2560
SIZES = {"thumbnail": 150, "medium": 300, "medium_large": 768, "large": 1024}


@dataclass
class Media:
    """A file of the library. `sizes` maps names to files' names; empty before thumbnails."""

    id: int
    filename: str
    mime: str
    width: int
    height: int
    shelf_name: str
    uploaded: datetime
    title: str
    alt_text: str = ""
    caption: str = ""
    post: int | None = None
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """Where it is under the uploads."""
        return f"{self.uploaded:%Y/%m}"

    @property
    def stored_name(self) -> str:
        """The name it is served by: very large ones are scaled down."""
        return self.sized("scaled") if max(self.width, self.height) > SCALED else self.filename

    def sized(self, end: str) -> str:
        """The name of another size of it."""
        stem, _, suffix = self.filename.rpartition(".")
        return f"{stem}-{end}.{suffix}"

    @property
    def missing(self) -> list[str]:
        """The sizes that were not made."""
        return [name for name in self.wanted if name not in self.sizes]

    @property
    def wanted(self) -> dict[str, tuple[int, int]]:
        """The sizes that are smaller than it is."""
        found = {}
        for name, side in SIZES.items():
            scale = side / max(self.width, self.height)
            if scale < 1:
                found[name] = (
                    max(1, round(self.width * scale)),
                    max(1, round(self.height * scale)),
                )
        return found


@dataclass
class Post:
    """A post with its custom fields, by name."""

    id: int
    type: str
    title: str
    slug: str
    status: str = "publish"
    content: str = ""
    excerpt: str = ""
    featured_media: int = 0
    fields: Json = field(default_factory=dict)


@dataclass
class Site:
    """One site. Hold the sandbox's lock while changing it."""

    name: str
    media: dict[int, Media] = field(default_factory=dict)
    posts: dict[tuple[str, int], Post] = field(default_factory=dict)
    deleted: set[tuple[str, int]] = field(default_factory=set)
    last_id: int = LAST

    def new_id(self) -> int:
        """A number for something new."""
        self.last_id += 1
        return self.last_id

    def post(self, base: str, id: int) -> Post | None:
        """A post; those of the site's past are written the moment somebody looks."""
        if (base, id) in self.deleted:
            return None
        if id <= LAST and id > 0 and (base, id) not in self.posts:
            past = Post(id, POSTS[base], f"Actividad {id}", f"actividad-{id}")
            self.posts[base, id] = past
        return self.posts.get((base, id))

    def holds(self, id: int) -> bool:
        """Whether there is a post of that number."""
        past = any((base, id) not in self.deleted for base in POSTS)
        return (0 < id <= LAST and past) or any(at == id for _, at in self.posts)

    def free_name(self, wanted: str) -> str:
        """A file name as WordPress cleans it, with a number where it is taken."""
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted.replace("\\", "/").rpartition("/")[2])
        stem, _, suffix = plain.strip("-.").rpartition(".")
        taken = {each.filename for each in self.media.values()}
        name, at = f"{stem}.{suffix}", 0
        while name in taken:
            at += 1
            name = f"{stem}-{at}.{suffix}"
        return name


def site(sandbox: Sandbox, name: str) -> Site:
    """The site of that name."""
    with sandbox.lock:
        kept: Any = sandbox.kept.setdefault("wordpress", {})
        found: Site = kept.setdefault(name, Site(name))
    return found


def now(sandbox: Sandbox) -> datetime:
    """The sandbox's time."""
    return datetime.fromtimestamp(sandbox.clock(), UTC)

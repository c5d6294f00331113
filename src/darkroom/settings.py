"""One frozen `Settings`, read from the environment once and handed to whoever needs it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from darkroom.errors import Invalid

ROOT = Path(__file__).resolve().parents[2]
"""The checkout: where `sql/`, `jobs/` and `Procfile` lie."""


def _cores() -> int:
    return os.cpu_count() or 1


@dataclass(frozen=True)
class S3Settings:
    """Where assets go when a bucket is named; without one they are files under `home`."""

    bucket: str
    endpoint_url: str | None
    region: str | None
    access_key_id: str | None
    secret_access_key: str | None
    server_side_encryption: str | None


@dataclass(frozen=True)
class CountingSettings:
    """The counting pipeline's knobs; the defaults are the seed document's."""

    confidence: float = 0.30
    segmentation_iou: float = 0.50
    slice_size: int = 512
    slice_overlap: float = 0.25
    hsv_low: tuple[int, int, int] = (35, 40, 40)
    hsv_high: tuple[int, int, int] = (85, 255, 255)
    alpha: float = 0.9
    stock_figure: str = "buffered"
    plant_weights: str = "plants"
    container_weights: str = "containers"
    thumbnail_side: int = 300
    image_quality: int = 85
    avif_speed: int = 8


@dataclass(frozen=True)
class QueueSettings:
    """How the worker runs: slots per lane; heartbeat, rescue and stop in seconds."""

    lanes: Mapping[str, int] = field(default_factory=lambda: {"io": 16, "cpu": _cores(), "gpu": 1})
    poll_seconds: float = 10.0
    heartbeat_seconds: float = 5.0
    stale_seconds: float = 30.0
    rescue_seconds: float = 10.0
    grace_seconds: float = 20.0
    backoff_seconds: float = 2.0
    backoff_cap_seconds: float = 300.0


@dataclass(frozen=True)
class WebSettings:
    """Where the web process listens and how many live streams it carries."""

    host: str = "127.0.0.1"
    port: int = 5000
    threads: int = 32
    max_streams: int = 12
    stream_seconds: float = 25.0
    require_login: bool = False

    @property
    def loopback(self) -> bool:
        """True when only this machine can reach the address."""
        return self.host in {"127.0.0.1", "::1", "localhost"}

    @property
    def local_user(self) -> bool:
        """True when calls without a token count as the local administrator."""
        return self.loopback and not self.require_login


@dataclass(frozen=True)
class Settings:
    """Everything the environment can set. `Settings.from_env(os.environ)` makes one."""

    home: Path
    database_url: str | None = None
    secret_key: str | None = None
    max_upload_bytes: int = 20 * 1024 * 1024
    max_pixels: int = 50_000_000
    max_photos: int = 50
    s3: S3Settings | None = None
    counting: CountingSettings = CountingSettings()
    queue: QueueSettings = field(default_factory=QueueSettings)
    web: WebSettings = WebSettings()

    @property
    def files_dir(self) -> Path:
        """Folder of the local asset store."""
        return self.home / "files"

    @property
    def weights_dir(self) -> Path:
        """Folder of weights that people added themselves."""
        return self.home / "weights"

    @property
    def cache_dir(self) -> Path:
        """Folder of what can be made again: exported models, library settings."""
        return self.home / "cache"

    @property
    def temp_dir(self) -> Path:
        """Folder for uploads on their way in and results on their way out."""
        return self.home / "tmp"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings; an unreadable value raises `Invalid` naming its variable."""
        read = _Reader(environ)
        return cls(
            home=Path(read.text("DARKROOM_HOME") or ROOT / ".darkroom").resolve(),
            database_url=read.text("DATABASE_URL"),
            secret_key=read.text("DARKROOM_SECRET_KEY"),
            max_upload_bytes=read.integer("DARKROOM_MAX_UPLOAD_MB", 20) * 1024 * 1024,
            max_pixels=read.integer("DARKROOM_MAX_MEGAPIXELS", 50) * 1_000_000,
            max_photos=read.integer("DARKROOM_MAX_PHOTOS", 50),
            s3=_s3(read),
            counting=_counting(read),
            queue=_queue(read),
            web=_web(read),
        )


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def integer(self, name: str, default: int) -> int:
        return int(self.number(name, default))

    def number(self, name: str, default: float) -> float:
        raw = self.text(name)
        try:
            return default if raw is None else float(raw)
        except ValueError:
            raise Invalid(f"{name} must be a number, not {raw!r}.", name) from None

    def triple(self, name: str, default: tuple[int, int, int]) -> tuple[int, int, int]:
        raw = self.text(name)
        if raw is None:
            return default
        try:
            first, second, third = (int(part) for part in raw.split(","))
        except ValueError:
            raise Invalid(
                f"{name} must be three numbers like 35,40,40, not {raw!r}.", name
            ) from None
        return first, second, third

    def flag(self, name: str) -> bool:
        return (self.text(name) or "0").lower() in {"1", "true", "yes", "on"}

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        raw = self.text(name) or allowed[0]
        if raw not in allowed:
            raise Invalid(f"{name} must be one of {', '.join(allowed)}, not {raw!r}.", name)
        return raw


def _s3(read: _Reader) -> S3Settings | None:
    bucket = read.text("DARKROOM_S3_BUCKET")
    if bucket is None:
        return None
    return S3Settings(
        bucket=bucket,
        endpoint_url=read.text("DARKROOM_S3_ENDPOINT_URL"),
        region=read.text("DARKROOM_S3_REGION"),
        access_key_id=read.text("DARKROOM_S3_ACCESS_KEY_ID"),
        secret_access_key=read.text("DARKROOM_S3_SECRET_ACCESS_KEY"),
        server_side_encryption=_encryption(read),
    )


def _encryption(read: _Reader) -> str | None:
    chosen = read.choice("DARKROOM_S3_ENCRYPTION", ("AES256", "aws:kms", "none"))
    return None if chosen == "none" else chosen


def _counting(read: _Reader) -> CountingSettings:
    base = CountingSettings()
    return CountingSettings(
        confidence=read.number("DARKROOM_COUNTING_CONFIDENCE", base.confidence),
        segmentation_iou=read.number("DARKROOM_COUNTING_SEGMENTATION_IOU", base.segmentation_iou),
        slice_size=read.integer("DARKROOM_COUNTING_SLICE_SIZE", base.slice_size),
        slice_overlap=read.number("DARKROOM_COUNTING_SLICE_OVERLAP", base.slice_overlap),
        hsv_low=read.triple("DARKROOM_COUNTING_HSV_LOW", base.hsv_low),
        hsv_high=read.triple("DARKROOM_COUNTING_HSV_HIGH", base.hsv_high),
        alpha=read.number("DARKROOM_COUNTING_ALPHA", base.alpha),
        stock_figure=read.choice("DARKROOM_COUNTING_STOCK_FIGURE", ("buffered", "unbiased")),
        plant_weights=read.text("DARKROOM_COUNTING_PLANT_WEIGHTS") or base.plant_weights,
        container_weights=read.text("DARKROOM_COUNTING_CONTAINER_WEIGHTS")
        or base.container_weights,
        thumbnail_side=read.integer("DARKROOM_THUMBNAIL_SIDE", base.thumbnail_side),
        image_quality=read.integer("DARKROOM_IMAGE_QUALITY", base.image_quality),
        avif_speed=read.integer("DARKROOM_AVIF_SPEED", base.avif_speed),
    )


def _queue(read: _Reader) -> QueueSettings:
    base = QueueSettings()
    return QueueSettings(
        lanes={
            lane: read.integer(f"DARKROOM_LANE_{lane.upper()}", slots)
            for lane, slots in base.lanes.items()
        },
        poll_seconds=read.number("DARKROOM_POLL_SECONDS", base.poll_seconds),
        heartbeat_seconds=read.number("DARKROOM_HEARTBEAT_SECONDS", base.heartbeat_seconds),
        stale_seconds=read.number("DARKROOM_STALE_SECONDS", base.stale_seconds),
        rescue_seconds=read.number("DARKROOM_RESCUE_SECONDS", base.rescue_seconds),
        grace_seconds=read.number("DARKROOM_GRACE_SECONDS", base.grace_seconds),
        backoff_seconds=read.number("DARKROOM_BACKOFF_SECONDS", base.backoff_seconds),
        backoff_cap_seconds=read.number("DARKROOM_BACKOFF_CAP_SECONDS", base.backoff_cap_seconds),
    )


def _web(read: _Reader) -> WebSettings:
    base = WebSettings()
    return WebSettings(
        host=read.text("DARKROOM_HOST") or base.host,
        port=read.integer("DARKROOM_PORT", base.port),
        threads=read.integer("DARKROOM_WEB_THREADS", base.threads),
        max_streams=read.integer("DARKROOM_MAX_STREAMS", base.max_streams),
        stream_seconds=read.number("DARKROOM_STREAM_SECONDS", base.stream_seconds),
        require_login=read.flag("DARKROOM_REQUIRE_LOGIN"),
    )

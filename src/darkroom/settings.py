"""One frozen `Settings`, read from the environment once and handed to whoever needs it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit
from zoneinfo import available_timezones

from darkroom.errors import Invalid

ROOT = Path(__file__).resolve().parents[2]
"""The checkout: where `sql/`, `jobs/` and `Procfile` lie."""

CRON_PREFIX = "DARKROOM_CRON_"
"""`DARKROOM_CRON_UPKEEP_DELETE_FINISHED` is the schedule of the step `upkeep.delete_finished`."""

LONGEST_AGE = 36_500

MOST_TOKENS = 1_000_000
"""The most that is granted or asked for at once."""

# A limit keeps the time of each call that still counts.
MOST_CALLS = 1000
LONGEST_PERIOD = 86_400.0


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
    nearest_metres: float = 20.0
    """How far outside of a location a photo may have been taken that still counts as its."""
    time_zone: str = "UTC"
    """Whose days the stock's batch codes and history go by."""
    ground_sample_cm: float | None = None
    """Centimetres that a pixel covers, where all photos are taken from one height."""


@dataclass(frozen=True)
class ModelSettings:
    """What the models of a worker process may take of their device's memory.

    Without `memory_gb` the device says it. The device's own cache is emptied after so many images.
    """

    memory_gb: float | None = None
    empty_cache_every: int = 10


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
    crons: Mapping[str, str] = field(default_factory=dict)
    """Schedules in place of those in the code, by the end of their variable's name."""


@dataclass(frozen=True)
class UpkeepSettings:
    """How long things are kept before they are cleaned away, in days; temporary files in hours."""

    finished_days: float = 7.0
    failed_days: float = 30.0
    orphan_days: float = 7.0
    rollup_days: float = 90.0
    delivery_days: float = 30.0
    answer_days: float = 30.0
    version_days: float = 90.0
    temp_hours: float = 24.0


@dataclass(frozen=True)
class WebSettings:
    """Where the web process listens and how many live streams it carries."""

    host: str = "127.0.0.1"
    port: int = 5000
    threads: int = 64
    max_streams: int = 12
    stream_seconds: float = 25.0
    require_login: bool = False
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks (CIDR) whose `X-Forwarded-For` is believed."""
    public_url: str | None = None
    """Where people reach it, for links in messages; None: by host and port."""

    @property
    def address(self) -> str:
        """What links in messages begin with."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """True when only this machine can reach the address."""
        return self.host in {"127.0.0.1", "::1", "localhost"}

    @property
    def local_user(self) -> bool:
        """True when calls without a token count as the local administrator."""
        return self.loopback and not self.require_login


@dataclass(frozen=True)
class CatalogSettings:
    """How far an edited picture may be from the one before: 0 is surely the same, 1 surely not."""

    most_distance: float = 0.5


@dataclass(frozen=True)
class SignalSettings:
    """Webhooks, idempotency keys and waiting for results.

    `webhook_private` lets members name endpoints on private networks, too. A failed delivery is
    tried again after `webhook_retry_seconds`, then five times that, and so on.
    """

    webhook_private: bool = False
    webhook_timeout_seconds: float = 15.0
    webhook_retry_seconds: float = 5.0
    idempotency_hours: float = 24.0
    max_wait_seconds: int = 60


@dataclass(frozen=True)
class BreakerSettings:
    """When a breaker opens, and for how long; times in seconds.

    It opens after so many `failures` in a row, or at a `failure_rate` within a window of at least
    `window_calls` calls. It stays open for `open_seconds` (or its provider's own time), and longer
    by `growth` each time it opens again, up to `cap_seconds`. After `dormant_seconds` without a
    failure all that is forgotten. The call that tries it has `probe_seconds`.
    """

    failures: int = 5
    failure_rate: float = 0.5
    window_seconds: float = 60.0
    window_calls: int = 20
    open_seconds: float = 300.0
    open_seconds_of: Mapping[str, float] = field(default_factory=lambda: {"storage": 60.0})
    growth: float = 2.0
    cap_seconds: float = 3600.0
    dormant_seconds: float = 3600.0
    probe_seconds: float = 600.0


@dataclass(frozen=True)
class Quota:
    """So many calls in so many seconds."""

    calls: int
    seconds: float


@dataclass(frozen=True)
class GateSettings:
    """What may pass how often: breakers, request limits, paces, calls in flight, money a day.

    `limits` by endpoint of ours, `paces` (seconds from the end of a call to the start of the next)
    by name, the rest by provider; what is not named is not limited. Money is in US dollars and days
    are those of UTC.
    """

    breaker: BreakerSettings = field(default_factory=BreakerSettings)
    limits: Mapping[str, Quota] = field(
        default_factory=lambda: {
            "generate-image": Quota(10, 60),
            "face-swap": Quota(5, 60),
            "live-portrait": Quota(5, 300),
            "magic-prompt": Quota(20, 60),
            "render-video": Quota(3, 300),
            "render-multi-scene": Quota(2, 300),
            "enhance-media": Quota(5, 60),
            "subtitles": Quota(10, 300),
            "login": Quota(20, 60),
        }
    )
    paces: Mapping[str, float] = field(default_factory=lambda: {"variants": 1.5, "catalog": 2.0})
    max_calls: Mapping[str, int] = field(default_factory=dict)
    max_calls_per_owner: Mapping[str, int] = field(default_factory=dict)
    budget_per_day: Mapping[str, Decimal] = field(default_factory=dict)
    budget_per_owner: Decimal | None = None


@dataclass(frozen=True)
class AlertSettings:
    """Where alerts go: a Slack incoming webhook, and e-mail by SMTP; each if it is set."""

    slack_webhook_url: str | None = field(default=None, repr=False)
    email_to: tuple[str, ...] = ()
    email_from: str = "darkroom@localhost"
    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_user: str | None = None
    smtp_password: str | None = field(default=None, repr=False)
    smtp_security: str = "starttls"
    timeout_seconds: float = 15.0


@dataclass(frozen=True)
class ProviderSettings:
    """An outside service: where it is, our key, and its models for each use, the best first.

    Without a key of ours it is the sandbox.
    """

    name: str
    base_url: str
    key: str = field(repr=False)
    models: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_sandbox: bool = False


@dataclass(frozen=True)
class CloudinarySettings:
    """A Cloudinary account, as `CLOUDINARY_URL` names it."""

    cloud: str
    key: str
    secret: str = field(repr=False)
    base_url: str = "https://api.cloudinary.com"


@dataclass(frozen=True)
class WordPressSettings:
    """A WordPress site and who we are there: an application password, or one for JWT."""

    base_url: str
    user: str
    password: str | None = field(default=None, repr=False)
    app_password: str | None = field(default=None, repr=False)
    is_sandbox: bool = False


@dataclass(frozen=True)
class GcsSettings:
    """A bucket of Google Cloud Storage and our HMAC keys for it, or one of any other S3.

    Others want their own `base_url` and `region`.
    """

    bucket: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    base_url: str = "https://storage.googleapis.com"
    region: str = "auto"
    is_sandbox: bool = False


@dataclass(frozen=True)
class Price:
    """What a model takes, in US dollars: for each image, or for a million tokens in and out."""

    image: Decimal = Decimal(0)
    million_in: Decimal = Decimal(0)
    million_out: Decimal = Decimal(0)


@dataclass(frozen=True)
class TokenSettings:
    """What people pay with: how many tokens they begin with, and what things take, in tokens."""

    at_start: int = 20
    prices: Mapping[str, int] = field(
        default_factory=lambda: {"unlock": 5, "upscale": 3, "preview": 0}
    )


UPSCALE_MODELS = (
    "RealESRGAN_x4plus",
    "RealESRGAN_x4plus_anime_6B",
    "realesr-animevideov3",
)
"""The networks that enlarge pictures: of photos, of drawings, and one for drawings that takes a
twenty-fifth of the first one's time but gives photos a painted look."""


@dataclass(frozen=True)
class VariantSettings:
    """Variants: sides in pixels, how long a call waits that wants its result at once, and after how
    many days discarded variants are removed."""

    preview_side: int = 1024
    long_side: int = 7680
    model: str = UPSCALE_MODELS[0]
    wait_seconds: int = 25
    discarded_days: float = 7.0


@dataclass(frozen=True)
class PublishingSettings:
    """Publishing: which service makes the pictures, the type of post that is meant where a request
    names none, and how long (in seconds) an answer waits for its pictures.

    `credentials_key` seals the credentials of the sites; without it the secret key does.
    """

    provider: str = "openai"
    endpoint: str = "planessemanales"
    wait_seconds: int = 120
    credentials_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class MediaSettings:
    """Media services: how long (seconds) an answer waits for its result, the largest sound or video
    (bytes), the most pixels of a result, and the service that makes pictures and improves prompts.

    Pictures are kept for so many days after they were last asked for, and up to so many bytes of
    them. `mark` says how results show that a machine made them: in the file (`embedded`), or also
    to the eye (`visible`). `liveportrait_dir` is a checkout of LivePortrait.
    """

    wait_seconds: int = 110
    max_bytes: int = 2 * 1024**3
    max_result_pixels: int = 64_000_000
    provider: str = "gemini"
    cache_days: float = 30.0
    cache_bytes: int = 5 * 1024**3
    mark: str = "embedded"
    liveportrait_dir: Path | None = None


SANDBOX_PORT = 5050
MIB = 1024 * 1024

# Each used to be, or is, the usual one; when one is gone the next takes over.
MODELS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "gemini": {
        "image": ("gemini-2.5-flash-image", "gemini-3.1-flash-image", "gemini-3-pro-image"),
        "text": ("gemini-3.5-flash-lite", "gemini-3.1-flash-lite"),
    },
    "openai": {"image": ("gpt-image-2", "gpt-image-1.5", "gpt-image-1-mini")},
    "laozhang": {"image": ("gemini-3.1-flash-image", "gpt-image-2", "gemini-3-pro-image")},
}

PRICES = {
    "gemini-2.5-flash-image": Price(Decimal("0.04")),
    "gemini-3.1-flash-image": Price(Decimal("0.067")),
    "gemini-3-pro-image": Price(Decimal("0.134")),
    "gemini-3.5-flash-lite": Price(million_in=Decimal("0.30"), million_out=Decimal("2.50")),
    "gemini-3.1-flash-lite": Price(million_in=Decimal("0.25"), million_out=Decimal("1.50")),
    "gpt-image-2": Price(Decimal("0.053")),
    "gpt-image-1.5": Price(Decimal("0.034")),
    "gpt-image-1-mini": Price(Decimal("0.011")),
    "laozhang/gemini-3.1-flash-image": Price(Decimal("0.045")),
    "laozhang/gemini-3-pro-image": Price(Decimal("0.09")),
    "laozhang/gpt-image-2": Price(Decimal("0.03")),
}
"""List prices at the usual size and quality, by model, or by provider and model where they differ.

`DARKROOM_PRICES` corrects and completes them.
"""


def _sandbox(name: str, port: int) -> ProviderSettings:
    url = f"http://127.0.0.1:{port}/{name}"
    return ProviderSettings(name, url, "sandbox", MODELS[name], is_sandbox=True)


def _sandbox_site(port: int) -> WordPressSettings:
    url = f"http://127.0.0.1:{port}/wordpress/demo"
    return WordPressSettings(url, "sandbox", "sandbox", is_sandbox=True)


def _sandbox_bucket(port: int) -> GcsSettings:
    url = f"http://127.0.0.1:{port}/gcs"
    return GcsSettings("sandbox", "sandbox", "sandbox", url, is_sandbox=True)


@dataclass(frozen=True)
class ProvidersSettings:
    """The outside services. `timeout_seconds` is for a whole call, however slowly it drips."""

    gemini: ProviderSettings = field(default_factory=lambda: _sandbox("gemini", SANDBOX_PORT))
    openai: ProviderSettings = field(default_factory=lambda: _sandbox("openai", SANDBOX_PORT))
    laozhang: ProviderSettings = field(default_factory=lambda: _sandbox("laozhang", SANDBOX_PORT))
    cloudinary: CloudinarySettings | None = None
    wordpress: WordPressSettings = field(default_factory=lambda: _sandbox_site(SANDBOX_PORT))
    gcs: GcsSettings = field(default_factory=lambda: _sandbox_bucket(SANDBOX_PORT))
    prices: Mapping[str, Price] = field(default_factory=lambda: dict(PRICES))
    sandbox_port: int = SANDBOX_PORT
    timeout_seconds: float = 180.0

    @property
    def with_models(self) -> tuple[ProviderSettings, ...]:
        """Those that have models to choose from."""
        return self.gemini, self.openai, self.laozhang

    @property
    def names(self) -> tuple[str, ...]:
        """All services whose calls have breakers, those of our own machine among them."""
        models = (found.name for found in self.with_models)
        return (*models, "cloudinary", "wordpress", "gcs", "slack", "storage", "models")

    @property
    def sandboxed(self) -> tuple[str, ...]:
        """The names of those that the sandbox stands in for."""
        sites = {"wordpress": self.wordpress.is_sandbox, "gcs": self.gcs.is_sandbox}
        models = {found.name: found.is_sandbox for found in self.with_models}
        return tuple(name for name, is_sandbox in {**models, **sites}.items() if is_sandbox)


@dataclass(frozen=True)
class Settings:
    """Everything the environment can set. `Settings.from_env(os.environ)` makes one."""

    home: Path
    database_url: str | None = None
    secret_key: str | None = None
    max_upload_bytes: int = 20 * 1024 * 1024
    max_pixels: int = 100_000_000
    max_photos: int = 50
    fetch_private: bool = False
    """Whether pictures that people name by address may lie on private networks."""
    originals_cache_bytes: int = 1024 * 1024 * 1024
    s3: S3Settings | None = None
    counting: CountingSettings = CountingSettings()
    models: ModelSettings = ModelSettings()
    queue: QueueSettings = field(default_factory=QueueSettings)
    upkeep: UpkeepSettings = UpkeepSettings()
    web: WebSettings = WebSettings()
    signals: SignalSettings = SignalSettings()
    gates: GateSettings = field(default_factory=GateSettings)
    alerts: AlertSettings = AlertSettings()
    providers: ProvidersSettings = field(default_factory=ProvidersSettings)
    catalog: CatalogSettings = CatalogSettings()
    tokens: TokenSettings = field(default_factory=TokenSettings)
    variants: VariantSettings = VariantSettings()
    publishing: PublishingSettings = PublishingSettings()
    media: MediaSettings = MediaSettings()

    @property
    def files_dir(self) -> Path:
        """Folder of the local asset store."""
        return self.home / "files"

    @property
    def weights_dir(self) -> Path:
        """Folder of weights that people added themselves."""
        return self.home / "weights"

    @property
    def insightface_dir(self) -> Path:
        """Folder of InsightFace's weights, which their owner has put there."""
        return self.home / "insightface"

    @property
    def fonts_dir(self) -> Path:
        """Folder of fonts that people added themselves."""
        return self.home / "fonts"

    @property
    def cache_dir(self) -> Path:
        """Folder of what can be made again: exported models, library settings."""
        return self.home / "cache"

    @property
    def originals_dir(self) -> Path:
        """Folder of this machine's copies of stored originals."""
        return self.cache_dir / "originals"

    @property
    def temp_dir(self) -> Path:
        """Folder for uploads on their way in and results on their way out."""
        return self.home / "tmp"

    @property
    def spool_dir(self) -> Path:
        """Folder of providers' answers on their way into the store."""
        return self.home / "spool"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings; an unreadable value raises `Invalid` naming its variable."""
        read = _Reader(environ)
        return cls(
            home=Path(read.text("DARKROOM_HOME") or ROOT / ".darkroom").resolve(),
            database_url=read.text("DATABASE_URL"),
            secret_key=read.text("DARKROOM_SECRET_KEY"),
            max_upload_bytes=read.integer("DARKROOM_MAX_UPLOAD_MB", 20) * 1024 * 1024,
            max_pixels=read.integer("DARKROOM_MAX_MEGAPIXELS", 100) * 1_000_000,
            max_photos=read.integer("DARKROOM_MAX_PHOTOS", 50),
            fetch_private=read.flag("DARKROOM_FETCH_PRIVATE"),
            originals_cache_bytes=_originals_cache(read),
            s3=_s3(read),
            counting=_counting(read),
            models=_models(read),
            queue=_queue(read),
            upkeep=_upkeep(read),
            web=_web(read),
            signals=_signals(read),
            gates=_gates(read),
            alerts=_alerts(read),
            providers=_providers(read),
            catalog=_catalog(read),
            tokens=_tokens(read),
            variants=_variants(read),
            publishing=_publishing(read),
            media=_media(read),
        )


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def starting_with(self, prefix: str) -> dict[str, str]:
        names = sorted(name for name in self._environ if name.startswith(prefix))
        found = {name.removeprefix(prefix): self.text(name) for name in names}
        return {end: text for end, text in found.items() if text is not None}

    def age(self, name: str, default: float) -> float:
        value = self.number(name, default)
        if not 0 <= value <= LONGEST_AGE:
            raise Invalid(f"{name} must be between 0 and {LONGEST_AGE}, not {value:g}.", name)
        return value

    def integer(self, name: str, default: int) -> int:
        return int(self.number(name, default))

    def number(self, name: str, default: float) -> float:
        raw = self.text(name)
        try:
            return default if raw is None else float(raw)
        except ValueError:
            raise Invalid(f"{name} must be a number, not {raw!r}.", name) from None

    def above(self, name: str, default: float, low: float) -> float:
        value = self.number(name, default)
        if not low <= value < float("inf"):
            raise Invalid(f"{name} must be at least {low:g}, not {value:g}.", name)
        return value

    def listed(self, name: str) -> tuple[str, ...]:
        parts = (part.strip() for part in (self.text(name) or "").split(","))
        return tuple(part for part in parts if part)

    def pairs(self, name: str, like: str) -> dict[str, str]:
        """What `key=value,key=value` says; `like` is an example for whoever got it wrong."""
        found = {}
        for part in self.listed(name):
            key, equals, value = (piece.strip() for piece in part.partition("="))
            if not (key and equals and value):
                raise Invalid(f"{name} must be like {like}, not {part!r}.", name)
            found[key] = value
        return found

    def amounts(self, name: str, default: Mapping[str, float], low: float) -> dict[str, float]:
        given = self.pairs(name, "gemini=2,storage=60")
        one = _Reader({f"{name} ({key})": value for key, value in given.items()})
        read = {key: one.above(f"{name} ({key})", low, low) for key in given}
        return {**default, **read}

    def counts(self, name: str) -> dict[str, int]:
        return {key: int(value) for key, value in self.amounts(name, {}, 1).items()}

    def money(self, name: str, raw: str | None) -> Decimal | None:
        try:
            amount = None if raw is None else Decimal(raw)
        except ArithmeticError:
            amount = Decimal("NaN")
        if amount is not None and not (amount.is_finite() and amount >= 0):
            raise Invalid(f"{name} must be an amount of dollars like 2.50, not {raw!r}.", name)
        return amount

    def quotas(self, name: str, default: Mapping[str, Quota]) -> dict[str, Quota]:
        like = "generate-image=10/60 (calls/seconds)"
        quotas = dict(default)
        for endpoint, said in self.pairs(name, like).items():
            try:
                calls, seconds = said.split("/")
                quota = Quota(int(calls), float(seconds))
            except ValueError:
                raise Invalid(f"{name} must be like {like}, not {said!r}.", name) from None
            if not (1 <= quota.calls <= MOST_CALLS and 0 < quota.seconds <= LONGEST_PERIOD):
                raise Invalid(
                    f"{name}: {endpoint} must be 1 to {MOST_CALLS} calls in at most "
                    f"{LONGEST_PERIOD:g} seconds, not {said}.",
                    name,
                )
            quotas[endpoint.lstrip("/")] = quota
        return quotas

    def networks(self, name: str) -> tuple[str, ...]:
        for part in self.listed(name):
            try:
                ip_network(part)
            except ValueError:
                raise Invalid(
                    f"{name} must list addresses or networks like 10.0.0.0/8, not {part!r}.", name
                ) from None
        return self.listed(name)

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

    def zone(self, name: str, default: str) -> str:
        value = self.text(name)
        if value is None:
            return default
        if value not in available_timezones():
            raise Invalid(f"{name} must be a time zone like Europe/Madrid, not {value!r}.", name)
        return value

    def flag(self, name: str) -> bool:
        return (self.text(name) or "0").lower() in {"1", "true", "yes", "on"}

    def url(self, name: str, default: str) -> str:
        value = self.text(name) or default
        if not value.startswith(("https://", "http://")):
            raise Invalid(f"{name} must begin with https:// or http://.", name)
        return value.rstrip("/")

    def url_or_none(self, name: str) -> str | None:
        return self.url(name, "") if self.text(name) else None

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
        nearest_metres=read.above("DARKROOM_COUNTING_NEAREST_METRES", base.nearest_metres, 0),
        time_zone=read.zone("DARKROOM_TIME_ZONE", base.time_zone),
        ground_sample_cm=read.above("DARKROOM_COUNTING_GROUND_SAMPLE_CM", 0, 0) or None,
    )


def _originals_cache(read: _Reader) -> int:
    return int(read.above("DARKROOM_ORIGINALS_CACHE_MB", 1024, 0)) * 1024 * 1024


def _models(read: _Reader) -> ModelSettings:
    name = "DARKROOM_MODEL_MEMORY_GB"
    given = read.text(name)
    every = read.above("DARKROOM_EMPTY_DEVICE_CACHE_EVERY", ModelSettings.empty_cache_every, 1)
    return ModelSettings(None if given is None else read.above(name, 0.1, 0.1), int(every))


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
        crons=read.starting_with(CRON_PREFIX),
    )


def _upkeep(read: _Reader) -> UpkeepSettings:
    base = UpkeepSettings()
    return UpkeepSettings(
        finished_days=read.age("DARKROOM_KEEP_FINISHED_DAYS", base.finished_days),
        failed_days=read.age("DARKROOM_KEEP_FAILED_DAYS", base.failed_days),
        orphan_days=read.age("DARKROOM_KEEP_ORPHANS_DAYS", base.orphan_days),
        rollup_days=read.age("DARKROOM_KEEP_ROLLUPS_DAYS", base.rollup_days),
        delivery_days=read.age("DARKROOM_KEEP_DELIVERIES_DAYS", base.delivery_days),
        answer_days=read.age("DARKROOM_KEEP_ANSWERS_DAYS", base.answer_days),
        version_days=read.age("DARKROOM_KEEP_VERSIONS_DAYS", base.version_days),
        temp_hours=read.age("DARKROOM_KEEP_TEMP_HOURS", base.temp_hours),
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
        trusted_proxies=read.networks("DARKROOM_TRUSTED_PROXIES"),
        public_url=read.url_or_none("DARKROOM_PUBLIC_URL"),
    )


def _signals(read: _Reader) -> SignalSettings:
    base = SignalSettings()
    return SignalSettings(
        webhook_private=read.flag("DARKROOM_WEBHOOK_PRIVATE"),
        webhook_timeout_seconds=read.number(
            "DARKROOM_WEBHOOK_TIMEOUT_SECONDS", base.webhook_timeout_seconds
        ),
        webhook_retry_seconds=read.number(
            "DARKROOM_WEBHOOK_RETRY_SECONDS", base.webhook_retry_seconds
        ),
        idempotency_hours=read.number("DARKROOM_IDEMPOTENCY_HOURS", base.idempotency_hours),
        max_wait_seconds=read.integer("DARKROOM_MAX_WAIT_SECONDS", base.max_wait_seconds),
    )


def _breaker(read: _Reader) -> BreakerSettings:
    base = BreakerSettings()
    return BreakerSettings(
        failures=int(read.above("DARKROOM_BREAKER_FAILURES", base.failures, 1)),
        failure_rate=read.above("DARKROOM_BREAKER_FAILURE_RATE", base.failure_rate, 0.01),
        window_seconds=read.above("DARKROOM_BREAKER_WINDOW_SECONDS", base.window_seconds, 1),
        window_calls=int(read.above("DARKROOM_BREAKER_WINDOW_CALLS", base.window_calls, 1)),
        open_seconds=read.above("DARKROOM_BREAKER_OPEN_SECONDS", base.open_seconds, 0.1),
        open_seconds_of=read.amounts("DARKROOM_BREAKER_OPEN_SECONDS_OF", base.open_seconds_of, 0.1),
        growth=read.above("DARKROOM_BREAKER_GROWTH", base.growth, 1),
        cap_seconds=read.above("DARKROOM_BREAKER_CAP_SECONDS", base.cap_seconds, 0.1),
        dormant_seconds=read.above("DARKROOM_BREAKER_DORMANT_SECONDS", base.dormant_seconds, 1),
        probe_seconds=read.above("DARKROOM_BREAKER_PROBE_SECONDS", base.probe_seconds, 1),
    )


def _gates(read: _Reader) -> GateSettings:
    base = GateSettings()
    budgets = read.pairs("DARKROOM_BUDGET_PER_DAY", "gemini=10.00")
    return GateSettings(
        breaker=_breaker(read),
        limits=read.quotas("DARKROOM_LIMITS", base.limits),
        paces=read.amounts("DARKROOM_PACES", base.paces, 0),
        max_calls=read.counts("DARKROOM_MAX_CALLS"),
        max_calls_per_owner=read.counts("DARKROOM_MAX_CALLS_PER_OWNER"),
        budget_per_day={
            provider: read.money("DARKROOM_BUDGET_PER_DAY", raw) or Decimal(0)
            for provider, raw in budgets.items()
        },
        budget_per_owner=read.money(
            "DARKROOM_BUDGET_PER_OWNER", read.text("DARKROOM_BUDGET_PER_OWNER")
        ),
    )


def _alerts(read: _Reader) -> AlertSettings:
    base = AlertSettings()
    security = read.choice("DARKROOM_SMTP_SECURITY", ("starttls", "tls", "none"))
    usual = {"starttls": 587, "tls": 465, "none": 25}
    return AlertSettings(
        slack_webhook_url=read.text("DARKROOM_SLACK_WEBHOOK_URL"),
        email_to=read.listed("DARKROOM_ALERT_EMAIL"),
        email_from=read.text("DARKROOM_SMTP_FROM") or base.email_from,
        smtp_host=read.text("DARKROOM_SMTP_HOST"),
        smtp_port=read.integer("DARKROOM_SMTP_PORT", usual[security]),
        smtp_user=read.text("DARKROOM_SMTP_USER"),
        smtp_password=read.text("DARKROOM_SMTP_PASSWORD"),
        smtp_security=security,
    )


def _providers(read: _Reader) -> ProvidersSettings:
    base = ProvidersSettings()
    port = read.integer("DARKROOM_SANDBOX_PORT", base.sandbox_port)
    return ProvidersSettings(
        gemini=_provider(read, "gemini", "https://generativelanguage.googleapis.com", port),
        openai=_provider(read, "openai", "https://api.openai.com", port),
        laozhang=_provider(read, "laozhang", "https://api.laozhang.ai", port),
        cloudinary=_cloudinary(read),
        wordpress=_wordpress(read, port),
        gcs=_gcs(read, port),
        prices=_prices(read, base.prices),
        sandbox_port=port,
        timeout_seconds=read.above("DARKROOM_PROVIDER_TIMEOUT_SECONDS", base.timeout_seconds, 1),
    )


def _provider(read: _Reader, name: str, real_url: str, sandbox_port: int) -> ProviderSettings:
    models = {
        use: read.listed(f"DARKROOM_{name.upper()}_{use.upper()}_MODELS") or chain
        for use, chain in MODELS[name].items()
    }
    usual = _sandbox(name, sandbox_port)
    key = read.text(f"{name.upper()}_API_KEY")
    url = read.url(f"DARKROOM_{name.upper()}_URL", real_url if key else usual.base_url)
    return ProviderSettings(name, url, key or usual.key, models, key is None)


def _cloudinary(read: _Reader) -> CloudinarySettings | None:
    raw = read.text("CLOUDINARY_URL")
    if raw is None:
        return None
    parts = urlsplit(raw)
    if parts.scheme != "cloudinary" or not (parts.username and parts.password and parts.hostname):
        like = "cloudinary://KEY:SECRET@CLOUD"
        raise Invalid(f"CLOUDINARY_URL must be like {like}.", "CLOUDINARY_URL")
    # Not `hostname`, which is in lower case.
    cloud = parts.netloc.rpartition("@")[2]
    base = CloudinarySettings(cloud, unquote(parts.username), unquote(parts.password))
    return replace(base, base_url=read.url("DARKROOM_CLOUDINARY_URL", base.base_url))


def _wordpress(read: _Reader, sandbox_port: int) -> WordPressSettings:
    user, url = read.text("DARKROOM_WORDPRESS_USER"), read.text("DARKROOM_WORDPRESS_URL")
    password = read.text("DARKROOM_WORDPRESS_PASSWORD")
    app_password = read.text("DARKROOM_WORDPRESS_APP_PASSWORD")
    if user is None:
        usual = _sandbox_site(sandbox_port)
        return replace(usual, base_url=read.url("DARKROOM_WORDPRESS_URL", usual.base_url))
    if url is None or not (password or app_password):
        raise Invalid(
            "DARKROOM_WORDPRESS_USER needs DARKROOM_WORDPRESS_URL, and DARKROOM_WORDPRESS_PASSWORD "
            "(for JWT) or DARKROOM_WORDPRESS_APP_PASSWORD.",
            "DARKROOM_WORDPRESS_USER",
        )
    return WordPressSettings(read.url("DARKROOM_WORDPRESS_URL", url), user, password, app_password)


def _gcs(read: _Reader, sandbox_port: int) -> GcsSettings:
    names = ("DARKROOM_GCS_BUCKET", "DARKROOM_GCS_ACCESS_KEY_ID", "DARKROOM_GCS_SECRET_ACCESS_KEY")
    bucket, key, secret = (read.text(name) for name in names)
    if bucket is None:
        usual = _sandbox_bucket(sandbox_port)
        return replace(usual, base_url=read.url("DARKROOM_GCS_URL", usual.base_url))
    if key is None or secret is None:
        raise Invalid(f"{names[0]} needs {names[1]} and {names[2]}.", names[0])
    base = GcsSettings(bucket, key, secret)
    region = read.text("DARKROOM_GCS_REGION") or base.region
    return replace(base, base_url=read.url("DARKROOM_GCS_URL", base.base_url), region=region)


def _prices(read: _Reader, default: Mapping[str, Price]) -> dict[str, Price]:
    given = read.pairs("DARKROOM_PRICES", "gemini-2.5-flash-image=0.04,gemini-3.5-flash=0.30/2.50")
    return {**default, **{model: _price(read, model, said) for model, said in given.items()}}


def _price(read: _Reader, model: str, said: str) -> Price:
    name = f"DARKROOM_PRICES ({model})"
    amounts = [read.money(name, part) or Decimal(0) for part in said.split("/")]
    if len(amounts) == 1:
        return Price(amounts[0])
    if len(amounts) == 2:
        return Price(million_in=amounts[0], million_out=amounts[1])
    raise Invalid(
        f"{name} must be dollars an image, or a million tokens in/out, not {said!r}.",
        "DARKROOM_PRICES",
    )


def _catalog(read: _Reader) -> CatalogSettings:
    name = "DARKROOM_CATALOG_MOST_DISTANCE"
    most = read.above(name, CatalogSettings.most_distance, 0)
    if most > 1:
        raise Invalid(f"{name} must be from 0 to 1, not {most:g}.", name)
    return CatalogSettings(most)


def _variants(read: _Reader) -> VariantSettings:
    base = VariantSettings()
    return VariantSettings(
        preview_side=int(read.above("DARKROOM_PREVIEW_SIDE", base.preview_side, 256)),
        long_side=int(read.above("DARKROOM_UNLOCK_SIDE", base.long_side, 1024)),
        model=read.choice("DARKROOM_UNLOCK_MODEL", UPSCALE_MODELS),
        wait_seconds=int(read.above("DARKROOM_VARIANT_WAIT_SECONDS", base.wait_seconds, 0)),
        discarded_days=read.age("DARKROOM_KEEP_DISCARDED_DAYS", base.discarded_days),
    )


def _publishing(read: _Reader) -> PublishingSettings:
    base = PublishingSettings()
    return PublishingSettings(
        provider=read.choice("DARKROOM_PUBLISHING_PROVIDER", ("openai", "gemini", "laozhang")),
        endpoint=read.text("DARKROOM_PUBLISHING_ENDPOINT") or base.endpoint,
        wait_seconds=int(read.above("DARKROOM_PUBLISHING_WAIT_SECONDS", base.wait_seconds, 0)),
        credentials_key=read.text("DARKROOM_CREDENTIALS_KEY"),
    )


def _media(read: _Reader) -> MediaSettings:
    base = MediaSettings()
    megapixels = base.max_result_pixels // 1_000_000
    return MediaSettings(
        wait_seconds=int(read.above("DARKROOM_MEDIA_WAIT_SECONDS", base.wait_seconds, 0)),
        max_bytes=read.integer("DARKROOM_MEDIA_MAX_MB", base.max_bytes // MIB) * MIB,
        max_result_pixels=read.integer("DARKROOM_MEDIA_MAX_MEGAPIXELS", megapixels) * 1_000_000,
        provider=read.choice("DARKROOM_MEDIA_PROVIDER", ("gemini", "openai", "laozhang")),
        cache_days=read.above("DARKROOM_MEDIA_CACHE_DAYS", base.cache_days, 0),
        cache_bytes=read.integer("DARKROOM_MEDIA_CACHE_MB", base.cache_bytes // MIB) * MIB,
        mark=read.choice("DARKROOM_MEDIA_MARK", ("embedded", "visible")),
        liveportrait_dir=_checkout(read, "DARKROOM_LIVEPORTRAIT_DIR", "inference.py"),
    )


def _checkout(read: _Reader, name: str, program: str) -> Path | None:
    """A folder that holds a program of others."""
    given = read.text(name)
    if given is None:
        return None
    if not (Path(given) / program).is_file():
        raise Invalid(f"{name} must be a folder that holds {program}, not {given!r}.", name)
    return Path(given).resolve()


def _tokens(read: _Reader) -> TokenSettings:
    base, name = TokenSettings(), "DARKROOM_TOKEN_PRICES"
    given = read.pairs(name, "unlock=5,upscale=3,preview=0")
    for purpose in given:
        if purpose not in base.prices:
            raise Invalid(
                f"{name}: there is no price of {purpose!r}; there are: {', '.join(base.prices)}.",
                name,
            )
    prices = {purpose: _token_count(f"{name} ({purpose})", raw) for purpose, raw in given.items()}
    at_start = _token_count(
        "DARKROOM_TOKENS_AT_START", read.text("DARKROOM_TOKENS_AT_START") or str(base.at_start)
    )
    return TokenSettings(at_start, {**base.prices, **prices})


def _token_count(name: str, raw: str) -> int:
    if not (re.fullmatch("[0-9]{1,7}", raw) and int(raw) <= MOST_TOKENS):
        raise Invalid(f"{name} must be a whole number from 0 to {MOST_TOKENS}, not {raw!r}.", name)
    return int(raw)

"""Google Cloud Storage, by its S3 interface and HMAC keys; any other S3 will do.

https://cloud.google.com/storage/docs/aws-simple-migration
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from darkroom.errors import DarkroomError
from darkroom.settings import GcsSettings, S3Settings, Settings
from darkroom.storage.s3 import S3Store


class Gcs:
    """A bucket. Its errors are those of `darkroom.storage.store`."""

    def __init__(self, settings: GcsSettings) -> None:
        self._settings = settings
        self._store = S3Store(
            S3Settings(
                bucket=settings.bucket,
                endpoint_url=settings.base_url,
                region=settings.region,
                access_key_id=settings.access_key_id,
                secret_access_key=settings.secret_access_key,
                server_side_encryption=None,
            )
        )

    def put(self, key: str, path: Path, mime: str) -> str:
        """Store a file, in place of what is there; answers its address."""
        with _named():
            self._store.put(key, path, mime)
        return self.url(key)

    def exists(self, key: str) -> bool:
        """Whether there is a file of that key."""
        with _named():
            return self._store.exists(key)

    def delete(self, key: str) -> None:
        """Remove a file; a missing one is fine."""
        with _named():
            self._store.delete(key)

    def check(self) -> None:
        """Look for a file that is not there; raises when we may not even do that."""
        self.exists("darkroom-check")

    def url(self, key: str) -> str:
        """Where a file is for those who may read it."""
        return f"{self._settings.base_url}/{self._settings.bucket}/{quote(key)}"


def connect(settings: Settings) -> Gcs:
    """The bucket that the settings name."""
    return Gcs(settings.providers.gcs)


@contextmanager
def _named() -> Iterator[None]:
    """Where the errors of S3 get the names of this service and its settings."""
    try:
        yield
    except DarkroomError as error:
        said = error.message.replace("The S3 storage", "Google Cloud Storage")
        error.message = said.replace("DARKROOM_S3_", "DARKROOM_GCS_")
        error.args = (error.message,)
        raise

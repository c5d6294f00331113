"""Files in a bucket of any service that speaks S3: AWS, MinIO, Google Cloud Storage …"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import quote

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)
from botocore.exceptions import ConnectionError as Unconnected
from s3transfer.exceptions import RetriesExceededError

from darkroom.errors import DarkroomError, NotFound, Permanent, Transient
from darkroom.settings import S3Settings
from darkroom.storage.store import Entry, checked_key

LONGEST_LINK = timedelta(days=7)
"""What version 4 signatures allow."""

_FRESH = timedelta(hours=1)
"""A file stored longer ago is stored again rather than relied on: only that makes it young."""

_MISSING = {"404", "NoSuchKey", "NotFound"}
_BUSY = {"RequestTimeout", "SlowDown", "Throttling", "ThrottlingException", "InternalError"}
_UNREACHED = (
    Unconnected,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
    RetriesExceededError,
)
_TRANSFER = TransferConfig(max_concurrency=4)


class S3Store:
    """A bucket. Its credentials come from the settings or, without them, from boto3's own places.

    Parameters
    ----------
    settings
        Bucket, endpoint, region, credentials and the encryption asked for at each write.
    """

    def __init__(self, settings: S3Settings) -> None:
        self.bucket = settings.bucket
        self._encryption = settings.server_side_encryption
        self._client = _client(settings)

    def put(self, key: str, source: Path | BinaryIO, mime: str) -> None:
        """Store a file or stream; large ones go up in parts."""
        extra = {"ContentType": mime}
        if self._encryption is not None:
            extra["ServerSideEncryption"] = self._encryption
        if isinstance(source, Path):
            with source.open("rb") as file:
                self._upload(key, file, extra)
        else:
            self._upload(key, cast(BinaryIO, _Unclosed(source)), extra)

    def open(self, key: str) -> BinaryIO:
        """The file as a readable stream, straight from the network."""
        with _edge(key):
            body = self._client.get_object(Bucket=self.bucket, Key=checked_key(key))["Body"]
        return io.BufferedReader(_Body(body, key), 256 * 1024)

    def fetch(self, key: str, to: Path) -> None:
        """Copy the file to `to`, whole or not at all."""
        aside = to.with_name(f".new-{to.name}")
        try:
            with _edge(key), aside.open("wb") as file:
                self._client.download_fileobj(self.bucket, checked_key(key), file, Config=_TRANSFER)
            aside.replace(to)
        finally:
            aside.unlink(missing_ok=True)

    def exists(self, key: str) -> bool:
        """Whether there is a file of that key."""
        try:
            with _edge(key):
                self._client.head_object(Bucket=self.bucket, Key=checked_key(key))
        except NotFound:
            return False
        return True

    def keeps(self, key: str) -> bool:
        """Whether there is a file of that key that was stored within the last hour."""
        age = self._age(key)
        return age is not None and age < _FRESH

    def delete(self, key: str) -> None:
        """Remove the file if it is there."""
        with _edge(key):
            self._client.delete_object(Bucket=self.bucket, Key=checked_key(key))

    def discard(self, key: str, older_than: timedelta) -> bool:
        """Remove the file unless it is younger than that.

        S3 has no lock: a file stored in the moment between the look and the removal goes with it.
        """
        age = self._age(key)
        if age is not None and age < older_than:
            return False
        self.delete(key)
        return True

    def listing(self, prefix: str) -> Iterator[Entry]:
        """The files whose keys begin with `prefix`, a page of a thousand at a time."""
        pages = self._client.get_paginator("list_objects_v2")
        with _edge(prefix):
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
                for found in page.get("Contents", []):
                    yield Entry(found["Key"], found["LastModified"])

    def clear_unfinished(self, prefix: str, older_than: timedelta) -> int:
        """Give up the uploads in parts that nobody ended."""
        pages = self._client.get_paginator("list_multipart_uploads")
        cleared = 0
        with _edge(prefix):
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
                for found in page.get("Uploads", []):
                    if datetime.now(UTC) - found["Initiated"] >= older_than:
                        self._client.abort_multipart_upload(
                            Bucket=self.bucket, Key=found["Key"], UploadId=found["UploadId"]
                        )
                        cleared += 1
        return cleared

    def url(self, key: str, expires: timedelta, filename: str | None = None) -> str:
        """A link to the service itself, signed by us."""
        named = {"Bucket": self.bucket, "Key": checked_key(key)}
        if filename is not None:
            named["ResponseContentDisposition"] = f"attachment; filename*=UTF-8''{quote(filename)}"
        seconds = int(min(expires, LONGEST_LINK).total_seconds())
        with _edge(key):
            return str(
                self._client.generate_presigned_url("get_object", Params=named, ExpiresIn=seconds)
            )

    def _age(self, key: str) -> timedelta | None:
        """How long ago the file was stored; None when there is none."""
        try:
            with _edge(key):
                found = self._client.head_object(Bucket=self.bucket, Key=checked_key(key))
        except NotFound:
            return None
        stored: datetime = found["LastModified"]
        return datetime.now(UTC) - stored

    def _upload(self, key: str, file: BinaryIO, extra: dict[str, str]) -> None:
        with _edge(key):
            self._client.upload_fileobj(
                file, self.bucket, checked_key(key), ExtraArgs=extra, Config=_TRANSFER
            )


def _client(settings: S3Settings) -> Any:
    config = Config(
        signature_version="s3v4",
        # Google Cloud Storage refuses the checksums that boto3 sends by default.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard", "max_attempts": 3},
        connect_timeout=10,
        read_timeout=60,
        s3={"addressing_style": "path" if settings.endpoint_url else "auto"},
    )
    # A session of its own: boto3's default one is not safe to share between threads.
    return boto3.session.Session().client(
        "s3",
        endpoint_url=settings.endpoint_url,
        region_name=settings.region,
        aws_access_key_id=settings.access_key_id,
        aws_secret_access_key=settings.secret_access_key,
        config=config,
    )


class _Unclosed:
    """A stream that stays its owner's: boto3 closes what it has uploaded."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size)


class _Body(io.RawIOBase):
    """The body of an answer as a plain stream that raises our errors."""

    def __init__(self, body: Any, key: str) -> None:
        self._body = body
        self._key = key

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _edge(self._key):
            return int(self._body.readinto(buffer))

    def close(self) -> None:
        self._body.close()
        super().close()


@contextmanager
def _edge(key: str) -> Iterator[None]:
    """Where the service's errors become ours."""
    try:
        yield
    except ClientError as error:
        raise _answered(key, error) from error
    except _UNREACHED as error:
        raise Transient(f"The S3 storage cannot be reached for {key}: {error}") from error
    except BotoCoreError as error:
        raise Permanent(
            f"The S3 storage cannot be used: {error} Check the DARKROOM_S3_… settings."
        ) from error


def _answered(key: str, error: ClientError) -> DarkroomError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _MISSING:
        return NotFound(f"There is no file {key}.", "key")
    if code in _BUSY or status == 429 or status >= 500:
        return Transient(f"The S3 storage is busy ({code}) for {key}.")
    return Permanent(
        f"The S3 storage refuses {error.operation_name} ({code}) for {key}. "
        "Check the DARKROOM_S3_… settings."
    )

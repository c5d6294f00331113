"""A bucket whose server comes and goes."""

from typing import Any
from uuid import uuid4

import boto3
from moto.server import ThreadedMotoServer

from darkroom.settings import S3Settings


class Storage:
    """A bucket whose server comes and goes; what is stored stays."""

    def __init__(self) -> None:
        # Moto's buckets are those of all its servers in this process.
        self.bucket = f"bucket-{uuid4()}"
        self.port = 0
        self.start()
        self._client().create_bucket(Bucket=self.bucket)

    @property
    def environ(self) -> dict[str, str]:
        """The settings as a worker reads them."""
        return {
            "DARKROOM_S3_BUCKET": self.bucket,
            "DARKROOM_S3_REGION": "us-east-1",
            "DARKROOM_S3_ENDPOINT_URL": str(self.settings.endpoint_url),
            "DARKROOM_S3_ACCESS_KEY_ID": "key",
            "DARKROOM_S3_SECRET_ACCESS_KEY": "secret",
        }

    @property
    def settings(self) -> S3Settings:
        """Where it listens, and with which keys."""
        url = f"http://127.0.0.1:{self.port}"
        return S3Settings(self.bucket, url, "us-east-1", "key", "secret", None)

    def keys(self) -> list[str]:
        """What is stored."""
        found = self._client().list_objects_v2(Bucket=self.bucket)
        return [entry["Key"] for entry in found.get("Contents", [])]

    def start(self) -> None:
        """Come (back), on the same port."""
        self._server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
        self._server.start()
        _, self.port = self._server.get_host_and_port()

    def stop(self) -> None:
        """Go away. Moto keeps its buckets in this process."""
        self._server.stop()

    def _client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.settings.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )

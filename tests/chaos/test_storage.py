"""A storage that goes away and comes back."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from moto.server import ThreadedMotoServer

from tests.chaos import books
from tests.chaos.conftest import MakeTrial
from tests.chaos.trial import Trial

BUCKET = "chaos"
AWS = {"region_name": "us-east-1", "aws_access_key_id": "key", "aws_secret_access_key": "secret"}
S3 = {
    "DARKROOM_S3_BUCKET": BUCKET,
    "DARKROOM_S3_REGION": AWS["region_name"],
    "DARKROOM_S3_ACCESS_KEY_ID": AWS["aws_access_key_id"],
    "DARKROOM_S3_SECRET_ACCESS_KEY": AWS["aws_secret_access_key"],
}


class Storage:
    """A bucket whose server comes and goes; what is stored stays."""

    def __init__(self) -> None:
        self.port = 0
        self.start()
        self.client = boto3.client("s3", endpoint_url=self.url, **AWS)
        self.client.create_bucket(Bucket=BUCKET)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Come (back), on the same port."""
        self._server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
        self._server.start()
        _, self.port = self._server.get_host_and_port()

    def stop(self) -> None:
        """Go away. Moto keeps its buckets in this process."""
        self._server.stop()

    def content(self) -> dict[str, str]:
        """What is stored, by key."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
        return {key: self._read(key) for key in keys}

    def _read(self, key: str) -> str:
        return str(self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode())


@contextmanager
def storing() -> Iterator[Storage]:
    """A storage with an empty bucket."""
    storage = Storage()
    try:
        yield storage
    finally:
        storage.stop()


def test_the_storage_goes_away_and_comes_back(make_trial: MakeTrial, database_url: str) -> None:
    trial = make_trial(database_url, stores=True)
    with storing() as storage:
        trial.begin(2, **S3, DARKROOM_S3_ENDPOINT_URL=storage.url)
        while trial.go_on(0.5, 2):
            storage.stop()
            trial.until(lambda: state_of_breaker(trial) != "closed", "the breaker to open")
            trial.go_on(0.5, 2)
            storage.start()
            trial.note()
        trial.finish()
        stored = storage.content()
    effects = {row.key for row in books.ask(trial.database, "SELECT key FROM effects")}
    wanted = effects & set().union(*(plan.stored for plan in trial.plans.values()))
    assert {f"chaos/{key}": key for key in wanted}.items() <= stored.items()
    assert state_of_breaker(trial) == "closed"


def state_of_breaker(trial: Trial) -> str:
    """The state of the storage's breaker."""
    rows = books.ask(trial.database, "SELECT state FROM breakers WHERE provider = 'storage'")
    return str(rows[0].state) if rows else "closed"

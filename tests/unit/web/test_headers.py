from pathlib import Path

from darkroom.settings import S3Settings, Settings
from darkroom.web.headers import content_policy


def settings(endpoint: str | None) -> Settings:
    s3 = S3Settings("photos", endpoint, None, None, None, None)
    return Settings(home=Path("/nowhere"), s3=s3)


def test_policy_allows_only_ourselves() -> None:
    policy = content_policy(Settings(home=Path("/nowhere")))
    assert policy.startswith("default-src 'self'; img-src 'self' data: blob:; ")
    assert "unsafe" not in policy


def test_pictures_of_the_bucket_are_allowed() -> None:
    policy = content_policy(settings("https://s3.example:9000/path"))
    assert "https://s3.example:9000 https://photos.s3.example:9000;" in policy
    assert "https://*.amazonaws.com;" in content_policy(settings(None))

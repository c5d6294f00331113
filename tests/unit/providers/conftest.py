from collections.abc import Iterator

import pytest

from tests.engine.service import Service, serving


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as started:
        yield started

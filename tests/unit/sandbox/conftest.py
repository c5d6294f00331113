from pathlib import Path

import pytest

from darkroom.settings import Settings
from tests.sandboxed import Sandboxed


@pytest.fixture
def chosen(sandbox: Sandboxed) -> Settings:
    """Settings whose providers are all the sandbox, and not patient."""
    providers = sandbox.providers(cloudinary=True, timeout_seconds=20)
    return Settings(home=Path("unused"), providers=providers)

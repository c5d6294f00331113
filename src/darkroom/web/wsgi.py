"""The app as a server imports it: settings from the environment, the database opened for good."""

import atexit
import logging
import os

from darkroom.db.opening import open_database
from darkroom.settings import Settings
from darkroom.web.app import create_app

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")

_settings = Settings.from_env(os.environ)
_opened = open_database(_settings)
app = create_app(_settings, _opened.__enter__())
atexit.register(_opened.__exit__, None, None, None)

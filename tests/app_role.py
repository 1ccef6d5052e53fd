"""The role that runs in production, for tests; they run as the owner otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connections

from config import embedded
from config.env import database


@contextmanager
def as_app_role() -> Iterator[None]:
    """Run on a connection of the role that runs in production; it sees what is committed."""
    owner = connections["default"]
    address = database(embedded.addresses(settings.TEST_HOME).database_url)
    running = connections.create_connection("default")
    running.settings_dict = {
        **owner.settings_dict,
        **{name: address[name] for name in ("USER", "PASSWORD", "HOST", "PORT")},
    }
    connections["default"] = running
    try:
        yield
    finally:
        running.close()
        connections["default"] = owner

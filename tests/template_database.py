"""A migrated database that test databases are copied from.

Migrating takes many times as long as copying. The template's name holds a digest of what makes a
schema, so that a changed migration makes a new one; processes that need it at once make it once.
"""

import fcntl
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from sys import modules
from typing import Final

import django
from django.conf import settings
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader

from config.embedded.postgres import PRIVILEGES

PREFIX: Final = "template_switchyard_"
KEPT: Final = 3
"""Templates that stay for the branches somebody may go back to."""


def template_database() -> str:
    """The name of a template with today's schema, made if there is none."""
    name = f"{PREFIX}{_digest()}"
    lock = settings.TEST_HOME.run / "template.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if name not in _templates():
            _make(name)
    return name


def _digest() -> str:
    """What the schema follows from: migrations, their operations, and the month of partitions."""
    loader = MigrationLoader(None)
    files = {
        modules[migration.__module__].__file__ for migration in loader.disk_migrations.values()
    }
    files |= {str(PRIVILEGES), str(settings.BASE_DIR / "config" / "kernel" / "operations.py")}
    digest = sha256(f"{django.__version__} {datetime.now(UTC):%Y-%m}".encode())
    for file in sorted(filter(None, files)):
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()[:12]


def _templates() -> list[str]:
    """Those there are, the newest last."""
    with connection._nodb_cursor() as cursor:
        cursor.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY oid", [f"{PREFIX}%"]
        )
        return [name for (name,) in cursor.fetchall() if not name.endswith("_draft")]


def _make(name: str) -> None:
    """Migrate a draft and rename it, so that a half-made template is never copied."""
    usual = connection.settings_dict["NAME"], connection.settings_dict["TEST"]["NAME"]
    draft = f"{name}_draft"
    try:
        connection.settings_dict["TEST"]["NAME"] = draft
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    finally:
        connections.close_all()
        connection.settings_dict["NAME"], connection.settings_dict["TEST"]["NAME"] = usual
        settings.DATABASES["default"]["NAME"] = usual[0]
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{draft}" RENAME TO "{name}"')
        for old in _templates()[:-KEPT]:
            cursor.execute(f'DROP DATABASE IF EXISTS "{old}" WITH (FORCE)')

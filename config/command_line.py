"""What `manage.py` does before Django: choose the database role and start what is missing.

The choice is by command, because settings must be importable without starting anything: lint, the
schema and `help` run on a machine that has no database.
"""

import os
import sys
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from threading import Thread
from typing import Final

from config import embedded

BEGAN: Final = time.monotonic()
"""When this process began, before it loaded Django."""

OFFLINE: Final = frozenset(
    {
        "",
        "check",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "findstatic",
        "help",
        "makemessages",
        "makemigrations",
        "optimizemigration",
        "sandbox",
        "spectacular",
        "startapp",
        "startproject",
        "version",
    }
)
"""Commands that do their work without a database."""

OWNER: Final = frozenset(
    {
        "createcachetable",
        "dbshell",
        "flush",
        "migrate",
        "sqlflush",
        "sqlmigrate",
        "sqlsequencereset",
        "squashmigrations",
        "test",
    }
)
"""Commands that change the schema, or look at it as the role that owns it."""

MEANWHILE: Final = frozenset({"demo"})
"""Commands that ask for the services themselves, later, and are glad when they stand by then."""

LIVING: Final = frozenset({"demo", "demo_life", "soak"})
"""Commands that live like an installation. With DEBUG, Django would write out every statement once more
and keep it, in each process that they start as well."""

EMBEDDED_SETTINGS: Final = frozenset({"config.settings.local", "config.settings.test"})


def prepare(argv: Sequence[str]) -> None:
    """Set the database role for this command and start the embedded services that it needs."""
    command = _command(argv)
    if command in OWNER:
        os.environ.setdefault("SWITCHYARD_DB_ROLE", "owner")
    if command in LIVING:
        os.environ.setdefault("DEBUG", "false")
    if _settings(argv) not in EMBEDDED_SETTINGS:
        return
    if _offline(command, argv):
        # makemigrations asks the database whether its history is consistent, and says so when
        # there is none to ask; here that is the usual case and no news.
        warnings.filterwarnings(
            "ignore", "Got an error checking a consistent migration history", RuntimeWarning
        )
        return
    if command in MEANWHILE:
        Thread(target=_start_early, name="embedded").start()
        return
    try:
        embedded.ensure()
    except embedded.EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from error


def _start_early() -> None:
    """While Django is loaded. What goes wrong is said by the command, which asks again."""
    with suppress(embedded.EmbeddedError, OSError):
        embedded.ensure()


def _command(argv: Sequence[str]) -> str:
    return next((word for word in argv[1:] if not word.startswith("-")), "")


def _offline(command: str, argv: Sequence[str]) -> bool:
    if {"-h", "--help", "--version"} & set(argv):
        return True
    if command == "check":
        return not any(word.startswith("--database") for word in argv)
    return command in OFFLINE


def _settings(argv: Sequence[str]) -> str:
    words = list(argv)
    for position, word in enumerate(words):
        if word.startswith("--settings="):
            return word.partition("=")[2]
        if word == "--settings" and position + 1 < len(words):
            return words[position + 1]
    return os.environ["DJANGO_SETTINGS_MODULE"]

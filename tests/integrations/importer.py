"""An import in a process of its own, for a test that kills it: `importer.py <database> <file> <channel>`.

It says how many lines are done after each batch.
"""

import sys
from pathlib import Path

import django

if __name__ == "__main__":
    django.setup()

from django.db import connections  # Django must be set up first

from config.kernel.types import ALL_ACCOUNTS, Actor
from integrations import selectors
from integrations.imports.profiles import PROFILES
from integrations.services.imports import ImportRequest, Progress, import_orders
from tests.factories.kernel import NOON


def tell(progress: Progress) -> None:
    sys.stdout.write(f"{progress.done}\n")
    sys.stdout.flush()


def main(database: str, path: str, channel_code: str) -> None:
    connections["default"].settings_dict["NAME"] = database
    channel = selectors.channel_ref(selectors.channel_by_code(channel_code, ALL_ACCOUNTS))
    profile = PROFILES["online-retail"]
    request = ImportRequest(Path(path), profile, channel, "history", batch=20)
    known = profile.scan(request.path)
    import_orders(request, known, at=NOON, actor=Actor.system("tests"), watch=tell)


if __name__ == "__main__":
    main(*sys.argv[1:])

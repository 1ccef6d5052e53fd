"""`manage.py sync_roles`: the roles of the software brought up to date, after an upgrade."""

from typing import Any

from django.core.management.base import BaseCommand

from config.kernel import clock
from config.kernel.services import access
from config.kernel.types import Actor


class Command(BaseCommand):
    help = (
        "Bring the roles of the software up to date: missing ones are made, and permissions that "
        "are new are added. What was narrowed or widened by hand stays so."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        del args, options
        roles = access.sync_roles(at=clock.now(), actor=Actor.system("sync_roles"))
        self.stdout.write(f"{len(roles)} roles are up to date.")

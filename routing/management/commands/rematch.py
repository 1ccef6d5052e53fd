"""`manage.py rematch`: price what later orders need, and send planned orders from where it is better."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.kernel import clock
from config.kernel.models import Account
from routing.rematching import rematch


class Command(BaseCommand):
    help = "Make price books and plan unreleased orders again, where that is due."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", help="Code of an account to do it for, due or not.")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        accounts = None
        if code := options["account"]:
            found = Account.objects.filter(code=code).values_list("pk", flat=True)
            if not found:
                raise CommandError(f"There is no account {code}.")
            accounts = frozenset(found)
        for line in rematch(clock.now(), accounts=accounts):
            self.stdout.write(line)

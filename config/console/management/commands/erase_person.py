"""Erasing a person on request: `manage.py erase_person EMAIL --account CODE [--dry-run]`."""

from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

import orders.services
from config.kernel import clock
from config.kernel.errors import DomainError
from config.kernel.models import Account
from config.kernel.types import Actor, Scope

USAGE: Final = 2


class Command(BaseCommand):
    help = "Erase a person: names, addresses and messages of all their orders become unreadable."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="The person's e-mail address, as they gave it.")
        parser.add_argument("--account", required=True, help="Code of the account.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be erased.")
        parser.add_argument(
            "--unfinished-too",
            action="store_true",
            help="Also while orders are at work: they lose the address that they go to.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        account = Account.objects.filter(code=options["account"]).first()
        if account is None:
            raise CommandError(f"There is no account {options['account']}.", returncode=USAGE)
        emails = [options["email"]]
        found = orders.services.footprint_of(account.pk, emails=emails)
        if not found.contact_ids and not found.customer_ids:
            self.stdout.write("Nothing is kept of this person.")
            return
        if options["dry_run"]:
            self.stdout.write(
                f"Would erase {len(found.contact_ids)} contacts of {len(found.order_ids)} orders; "
                f"{len(found.unfinished)} of them still at work. Nothing was changed."
            )
            return
        try:
            erased = orders.services.erase_people(
                account.pk,
                emails=emails,
                unfinished_too=options["unfinished_too"],
                at=clock.now(),
                actor=Actor.system("erase_person", scope=Scope(frozenset({account.pk}))),
            )
        except DomainError as refusal:
            raise CommandError(refusal.detail) from None
        self.stdout.write(
            f"Erased: {erased.contacts} contacts of {erased.orders} orders; {erased.keys} keys are "
            "destroyed."
        )

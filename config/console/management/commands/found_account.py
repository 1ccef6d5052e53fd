"""The first steps of a real installation: an account, the roles to grant, policies to route by."""

import re
from argparse import ArgumentParser
from typing import Any, Final
from zoneinfo import available_timezones

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

import routing.services
from config.kernel import clock
from config.kernel.services import access, accounts
from config.kernel.types import Actor

USAGE: Final = 2
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_NAME_LENGTH: Final = 120
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


class Command(BaseCommand):
    help = "Make or update an account, with the roles and policies that it begins with."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="Short name of the account, as harbor-pine.")
        parser.add_argument("name", help="The merchant's name.")
        parser.add_argument("--currency", required=True, help="ISO 4217 code, as USD.")
        parser.add_argument("--timezone", required=True, help="Time zone, as America/New_York.")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        code, name = options["code"], options["name"]
        currency, zone = options["currency"], options["timezone"]
        for good, why in (
            (_CODE.fullmatch(code), "A code is made of a-z, 0-9 and dashes, at most 32."),
            (0 < len(name) <= _NAME_LENGTH, f"A name has 1 to {_NAME_LENGTH} characters."),
            (_CURRENCY.fullmatch(currency), f"“{currency}” is not a currency code."),
            (zone in available_timezones(), f"There is no time zone {zone}."),
        ):
            if not good:
                raise CommandError(why, returncode=USAGE)
        at, actor = clock.now(), Actor.system("found_account")
        with transaction.atomic():
            roles = access.sync_roles(at=at, actor=actor)
            account_id = accounts.define_account(
                code, name, currency=currency, timezone=zone, at=at, actor=actor
            )
            policies = routing.services.seed_policies(account_id, at=at, actor=actor)
        self.stdout.write(
            f"{code}: {len(roles)} roles to grant; policies {', '.join(sorted(policies))}."
        )

"""`manage.py export_supply KIND`: supply as a file that, sent back, changes nothing."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand

from config.kernel.models import Account
from inventory import exchange

USAGE: Final = 2


class Command(BaseCommand):
    help = "Export supply as CSV, to the screen or to a file. Exit code: 0 done, 2 not understood."

    def add_arguments(self, parser: ArgumentParser) -> None:
        codes = ", ".join(kind.code for kind in exchange.kinds())
        parser.add_argument("kind", help=f"What to export: {codes}.")
        parser.add_argument("--account", required=True, help="Code of the account.")
        parser.add_argument("--out", type=Path, help="The file to write.")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        account = Account.objects.filter(code=options["account"]).first()
        known = {kind.code: kind for kind in exchange.kinds()}
        if account is None or options["kind"] not in known:
            self.stderr.write("There is no such account." if account is None else "No such kind.")
            sys.exit(USAGE)
        lines = exchange.export_lines(known[options["kind"]], account.pk)
        if options["out"] is None:
            for line in lines:
                self.stdout.write(line, ending="")
            return
        with options["out"].open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)

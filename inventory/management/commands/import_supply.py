"""`manage.py import_supply KIND FILE`: supply from a file, with a result for every row."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

from django.core.management.base import BaseCommand

from config.kernel import clock
from config.kernel.errors import DomainError
from config.kernel.models import Account
from config.kernel.services import jobs
from config.kernel.types import Actor, Scope
from inventory import exchange

DONE, REFUSED, USAGE, PARTIAL = 0, 1, 2, 3
"""Exit codes: every row is written; the file was refused; not understood; some rows were refused."""
_CHUNK: Final = 1 << 16
_MOST_PRINTED: Final = 100


class Command(BaseCommand):
    help = (
        "Import supply from a CSV file: the same that the console exports. Rows that are as they "
        "stand are left alone. Exit code: 0 done, 1 the file was refused, 2 not understood, "
        "3 some rows were refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        codes = ", ".join(kind.code for kind in exchange.kinds())
        parser.add_argument("kind", help=f"What the file holds: {codes}.")
        parser.add_argument("file", type=Path, help="The file, UTF-8, with a header.")
        parser.add_argument("--account", required=True, help="Code of the account.")
        parser.add_argument("--dry-run", action="store_true", help="Tell, and write nothing.")
        parser.add_argument("--errors", type=Path, help="Write how each row ended as CSV.")
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        kind, account = self._meant(options)
        actor = Actor.system("import_supply", scope=Scope(frozenset({account.pk})))
        at, path = clock.now(), options["file"]
        try:
            with path.open("rb") as file:
                run = exchange.receive(
                    kind, path.name, _chunks(file), account_id=account.pk, at=at, actor=actor
                )
            job = exchange.begin(run.pk, dry=options["dry_run"], at=at, actor=actor)
        except DomainError as refusal:
            self._fail(REFUSED, refusal.detail)
        jobs.run_job(job.pk, at=at)
        run = exchange.one_import(run.pk, actor.scope)
        if options["errors"]:
            options["errors"].write_text("".join(exchange.results_csv(run)), encoding="utf-8")
        self._print(run, as_json=options["json"])
        sys.exit(PARTIAL if run.counts.get("refused") else DONE)

    def _meant(self, options: dict[str, Any]) -> tuple[exchange.Kind, Account]:
        if not options["file"].is_file():
            self._fail(USAGE, f"There is no file {options['file']}.")
        account = Account.objects.filter(code=options["account"]).first()
        if account is None:
            self._fail(USAGE, f"There is no account {options['account']}.")
        try:
            return exchange.kind_of(options["kind"]), account
        except KeyError:
            self._fail(USAGE, f"There is no kind {options['kind']}.")

    def _print(self, run: Any, *, as_json: bool) -> None:
        refused = exchange.lines(run, outcome="refused", limit=_MOST_PRINTED)
        if as_json:
            told = [
                {"row": one.told.row, "column": one.told.column, "detail": one.told.detail}
                for one in refused
            ]
            shown = {"import": str(run.pk), "rows": run.rows, "counts": run.counts, "refused": told}
            self.stdout.write(json.dumps(shown, indent=2))
            return
        for one in refused:
            column = f", {one.told.column}" if one.told.column else ""
            self.stdout.write(f"row {one.told.row}{column}: {one.told.detail}")
        counts = ", ".join(f"{units:,} {name}" for name, units in sorted(run.counts.items()))
        done = "Checked, nothing written" if run.state == "checked" else "Applied"
        self.stdout.write(f"{done}: {run.rows:,} rows, {counts}.")

    def _fail(self, code: int, why: str) -> NoReturn:
        self.stderr.write(why)
        sys.exit(code)


def _chunks(file: Any) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk

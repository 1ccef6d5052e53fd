"""`manage.py import_orders`: orders from a file, with a result for every line."""

import csv
import io
import json
import sys
from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand
from django.db import transaction
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from config.kernel import clock
from config.kernel.errors import DomainError
from config.kernel.types import ALL_ACCOUNTS, Actor, Scope
from integrations import selectors
from integrations.imports.buckets import PROBLEMS, Bucket
from integrations.imports.profiles import PROFILES
from integrations.models import ImportMode, ImportProblem
from integrations.services.derive_stock import derive_stock
from integrations.services.imports import ImportRequest, import_orders
from integrations.services.imports import Progress as Imported

DONE, FAULT, USAGE, PARTIAL = 0, 1, 2, 3
"""Exit codes: all lines dealt with; stopped by a fault; not understood; some lines refused."""


class Command(BaseCommand):
    help = (
        "Import orders from a file. The same file is continued where it was stopped and never "
        "taken twice. Exit code: 0 done, 1 stopped by a fault, 2 not understood, 3 some lines "
        "were refused, unreadable or failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="The file; gzip is unpacked on the way.")
        parser.add_argument("--format", required=True, choices=sorted(PROFILES))
        parser.add_argument("--channel", required=True, help="Code of the channel that sold.")
        parser.add_argument(
            "--mode",
            required=True,
            choices=ImportMode.values,
            help="live: as if it came in now; open: cutover, what is unshipped is reserved again; "
            "history: closed facts without stock, money or messages.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Do it all, keep nothing.")
        parser.add_argument("--errors", type=Path, help="Write the lines with a reason as CSV.")
        parser.add_argument("--batch", type=int, default=500, help="Orders per transaction.")
        parser.add_argument("--limit", type=int, default=0, help="Stop after so many lines.")
        parser.add_argument(
            "--derive-stock",
            action="store_true",
            help="First define the SKUs that the file sold and receive as many units as it sold.",
        )
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        path: Path = options["file"]
        if not path.is_file():
            self._fail(USAGE, f"There is no file {path}.")
        if options["batch"] < 1 or options["limit"] < 0:
            self._fail(USAGE, "--batch is at least 1 and --limit not negative.")
        try:
            channel = selectors.channel_ref(
                selectors.channel_by_code(options["channel"], ALL_ACCOUNTS)
            )
            request = ImportRequest(
                path,
                PROFILES[options["format"]],
                channel,
                options["mode"],
                options["batch"],
                options["limit"],
            )
            known = request.profile.scan(path)
        except (DomainError, OSError, EOFError) as refusal:
            self._fail(USAGE, getattr(refusal, "detail", str(refusal)))
        actor = Actor.system("import_orders", scope=Scope(frozenset({channel.account_id})))
        with transaction.atomic() if options["dry_run"] else nullcontext():
            imported = self._run(request, known, actor, derive=options["derive_stock"])
            problems = self._problems(imported, options["errors"])
            if options["dry_run"]:
                transaction.set_rollback(True)
        self._tell(imported, known.orders, options)
        sys.exit(PARTIAL if problems else DONE)

    def _run(self, request: ImportRequest, known: Any, actor: Actor, *, derive: bool) -> Imported:
        screen = Console(stderr=True)
        try:
            if derive:
                self._derive(screen, request, known.sha256, actor)
            with Progress(
                TextColumn("[progress.description]{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("lines"),
                TimeRemainingColumn(),
                console=screen,
                disable=not screen.is_terminal,
            ) as bar:
                task = bar.add_task(request.path.name, total=known.lines)
                return import_orders(
                    request,
                    known,
                    at=clock.now(),
                    actor=actor,
                    watch=lambda imported: bar.update(task, completed=imported.done),
                )
        except KeyboardInterrupt:
            self._fail(FAULT, "Stopped. The same command goes on where this one ended.")
        except DomainError as refusal:
            self._fail(FAULT, refusal.detail)

    def _derive(self, screen: Console, request: ImportRequest, sha256: str, actor: Actor) -> None:
        lines = request.profile.stock_lines(request.path)
        derived = derive_stock(lines, request.channel, sha256, at=clock.now(), actor=actor)
        screen.print(
            f"stock: {derived.units:,} units of {derived.skus:,} SKUs at {derived.nodes} nodes"
        )

    def _problems(self, imported: Imported, errors: Path | None) -> int:
        """Write the lines with a reason, if asked to; return how many were not dealt with."""
        if errors is not None:
            rows = (
                ImportProblem.objects.filter(run_id=imported.run_id)
                .order_by("line", "pk")
                .values_list("line", "reference", "bucket", "code", "detail")
            )
            with errors.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(("line", "order", "bucket", "code", "detail"))
                writer.writerows(rows.iterator(chunk_size=2_000))
        return sum(imported.counts[bucket.value] for bucket in PROBLEMS)

    def _tell(self, imported: Imported, order_count: int, options: dict[str, Any]) -> None:
        """Print where every line ended: the table's lines add up to the file's."""
        if options["json"]:
            told = {
                "lines": imported.total,
                "dealt_with": imported.done,
                "before": imported.before,
                "orders": order_count,
                "finished": imported.finished,
                "dry_run": options["dry_run"],
                "buckets": dict(sorted(imported.counts.items())),
            }
            self.stdout.write(json.dumps(told))
            return
        title = "dry run: nothing was kept" if options["dry_run"] else None
        table = Table("lines", "what became of them", title=title)
        table.columns[0].justify = "right"
        for bucket in Bucket:
            if count := imported.counts[bucket.value]:
                table.add_row(f"{count:,}", bucket.label)
        if left := imported.total - imported.done:
            table.add_row(f"{left:,}", "not looked at yet")
        table.add_section()
        table.add_row(f"{imported.total:,}", f"lines of {order_count:,} orders and credits")
        self._print(table)
        if imported.finished and imported.before == imported.total:
            self.stderr.write("This file was imported before; nothing was changed.")

    def _print(self, table: Table) -> None:
        """Through the command's own output, which callers may redirect."""
        drawn = io.StringIO()
        Console(file=drawn, width=100).print(table)
        self.stdout.write(drawn.getvalue())

    def _fail(self, code: int, why: str) -> NoReturn:
        self.stderr.write(why)
        sys.exit(code)

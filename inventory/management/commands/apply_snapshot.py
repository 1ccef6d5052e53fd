"""`manage.py apply_snapshot FILE`: bring a node's stock to what a file says lies there."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NoReturn

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware

from config.kernel import clock
from config.kernel.errors import DomainError
from config.kernel.models import Account
from config.kernel.types import Actor, Scope
from inventory import selectors, services
from inventory.snapshot_files import decoded, read_file
from inventory.states import SnapshotState
from inventory.types import SnapshotDraft

DONE, REFUSED, USAGE, PARTIAL = 0, 1, 2, 3
"""Exit codes: all lines agree or were healed; the file was refused; not understood; some differ."""
_CHUNK: Final = 1 << 16


class Command(BaseCommand):
    help = (
        "Apply a snapshot of a node's stock: a CSV file with the columns sku and quantity, and "
        "condition, lot and owner where they are needed. It is refused whole, or applied to its "
        "end. Exit code: 0 done, 1 refused, 2 not understood, 3 some lines await a decision."
    )

    # They import every page and its libraries: more memory than a snapshot of any size takes.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="The file, UTF-8, with a header.")
        parser.add_argument("--node", required=True, help="Code of the node.")
        parser.add_argument("--account", required=True, help="Code of the account.")
        parser.add_argument("--source", required=True, help="Name of the feed.")
        parser.add_argument("--as-of", required=True, help="When it was counted, with time zone.")
        parser.add_argument("--complete", action="store_true", help="What is not listed is gone.")
        parser.add_argument("--rows", type=int, help="How many rows there should be.")
        parser.add_argument("--units", type=int, help="How many units there should be.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Check and compare, keep nothing."
        )
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        draft, actor = self._draft(options)
        with options["file"].open("rb") as file, transaction.atomic():
            read = read_file(decoded(_chunks(file)))
            document = self._send(draft, read, options, actor)
            if document.state == SnapshotState.ACCEPTED and options["dry_run"]:
                self._apply(document.pk, actor)
            told = self._told(document.pk, actor)
            transaction.set_rollback(options["dry_run"])
        if document.state == SnapshotState.ACCEPTED and not options["dry_run"]:
            self._apply(document.pk, actor)
            told = self._told(document.pk, actor)
        self._print(told, as_json=options["json"])
        if told["problems"]:
            sys.exit(REFUSED)
        sys.exit(PARTIAL if told["opened"] else DONE)

    def _draft(self, options: dict[str, Any]) -> tuple[SnapshotDraft, Actor]:
        if not options["file"].is_file():
            self._fail(USAGE, f"There is no file {options['file']}.")
        as_of = _moment(options["as_of"])
        if as_of is None:
            self._fail(USAGE, "--as-of is a time with its zone, like 2026-03-01T06:00:00Z.")
        account = Account.objects.filter(code=options["account"]).first()
        if account is None:
            self._fail(USAGE, f"There is no account {options['account']}.")
        scope = Scope(frozenset({account.pk}))
        nodes = selectors.nodes_by_code([options["node"]], scope)
        if options["node"] not in nodes:
            self._fail(USAGE, f"There is no node {options['node']}.")
        draft = SnapshotDraft(
            nodes[options["node"]],
            account.pk,
            options["source"],
            as_of,
            complete=options["complete"],
        )
        return draft, Actor.system("apply_snapshot", scope=scope)

    def _send(
        self, draft: SnapshotDraft, read: Iterator[Any], options: dict[str, Any], actor: Actor
    ) -> Any:
        totals = services.Totals(options["rows"], options["units"])
        try:
            return services.send_snapshot(draft, read, totals, at=clock.now(), actor=actor)
        except DomainError as refusal:
            self._fail(REFUSED, refusal.detail)

    def _apply(self, document_id: Any, actor: Actor) -> None:
        while services.apply_range(document_id, at=clock.now(), actor=actor):
            self.stderr.write(".", ending="")

    def _told(self, document_id: Any, actor: Actor) -> dict[str, Any]:
        seen = selectors.snapshot_of(document_id, actor.scope)
        assert seen is not None  # noqa: S101  # it was written above
        run = selectors.reconciliation(seen.run_id, actor.scope) if seen.run_id else None
        return {
            "snapshot": str(document_id),
            "state": seen.state,
            "rows": seen.rows,
            "problems": [
                {"row": one.row, "column": one.column, "code": one.code, "detail": one.detail}
                for one in seen.problems
            ],
            "problems_found": seen.problems_found,
            **{
                name: getattr(run, name) if run else 0
                for name in ("compared", "equal", "in_flight", "healed", "opened")
            },
        }

    def _print(self, told: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(told, indent=2))
            return
        for one in told["problems"]:
            place = f"row {one['row']}" if one["row"] else "the file"
            column = f", {one['column']}" if one["column"] else ""
            self.stdout.write(f"{place}{column}: {one['detail']}")
        if told["problems"]:
            self.stdout.write(f"Refused: {told['problems_found']} problems, nothing was applied.")
            return
        self.stdout.write(
            f"{told['compared']:,} lines compared: {told['equal']:,} agree, {told['healed']:,} "
            f"were healed, {told['in_flight']:,} are in flight, {told['opened']:,} await a decision."
        )

    def _fail(self, code: int, why: str) -> NoReturn:
        self.stderr.write(why)
        sys.exit(code)


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and is_aware(moment) else None


def _chunks(file: Any) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk

"""Ask the database whether everything that must hold does; repair the books of stock if asked."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

import inventory.selectors
import inventory.services
from config.invariants import Violation, check_all, invariants
from config.kernel import clock
from config.kernel.types import ALL_ACCOUNTS, Actor

SECONDS: Final = 3_600.0
"""How long one look at all positions may take."""


class Command(BaseCommand):
    help = "Check every invariant against one snapshot. Exit code 1 when one is violated."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the violations as JSON.")
        parser.add_argument(
            "--repair",
            action="store_true",
            help="Sum the books of stock anew, position by position, and repair what does not hold.",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="With --repair: say what it would do, do nothing.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        if options["repair"]:
            self._repair(is_trial=options["dry_run"])
            return
        violations = check_all()
        if options["json"]:
            self._print_json(violations)
        else:
            self._print(violations)
        if violations:
            raise CommandError(f"{len(violations)} violations", returncode=1)

    def _repair(self, *, is_trial: bool) -> None:
        """Look at all positions, say what would be done, and do it unless it is a trial."""
        at, actor = clock.now(), Actor.system("check_invariants")
        inventory.services.watch_all_drift(seconds=SECONDS, at=at, actor=actor)
        rows = inventory.selectors.open_drifts(ALL_ACCOUNTS)
        named = [row.pk for row in rows]
        preview = inventory.selectors.preview_repairs(named, ALL_ACCOUNTS)
        places = inventory.selectors.places_of(line.drift.position_id for line in preview.lines)
        for line in preview.lines:
            place = places[line.drift.position_id]
            self.stdout.write(f"{place.sku.code} at {place.node.code}: {line.said}")
        for row in rows:
            self.stdout.write(f"  {row.kind} of position {row.position_id}: {row.evidence['said']}")
        if not preview.lines:
            self.stdout.write("Every sum holds.")
        elif is_trial:
            self.stdout.write(f"{len(preview.lines)} sums would be repaired; nothing was changed.")
        else:
            count = inventory.services.repair_drift(named, preview.token, at=at, actor=actor)
            self.stdout.write(f"{count} sums hold again.")

    def _print_json(self, violations: Sequence[Violation]) -> None:
        listed = [
            {
                "code": violation.code,
                "detail": violation.detail,
                "subject_ids": list(violation.subject_ids),
            }
            for violation in violations
        ]
        self.stdout.write(json.dumps(listed, indent=2))

    def _print(self, violations: Sequence[Violation]) -> None:
        broken = {violation.code for violation in violations}
        for invariant in invariants():
            mark = "BROKEN" if invariant.code in broken else "ok"
            self.stdout.write(f"{mark:>6}  {invariant.code}  {invariant.title}")
        for violation in violations:
            named = ", ".join(violation.subject_ids[:5])
            self.stdout.write(f"  {violation.code}: {violation.detail} [{named}]")

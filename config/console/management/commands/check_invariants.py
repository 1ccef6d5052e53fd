"""Ask the database whether everything that must hold does."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.invariants import check_all, invariants


class Command(BaseCommand):
    help = "Check every invariant against one snapshot. Exit code 1 when one is violated."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the violations as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        violations = check_all()
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    [
                        {
                            "code": violation.code,
                            "detail": violation.detail,
                            "subject_ids": list(violation.subject_ids),
                        }
                        for violation in violations
                    ],
                    indent=2,
                )
            )
        else:
            broken = {violation.code for violation in violations}
            for invariant in invariants():
                mark = "BROKEN" if invariant.code in broken else "ok"
                self.stdout.write(f"{mark:>6}  {invariant.code}  {invariant.title}")
            for violation in violations:
                named = ", ".join(violation.subject_ids[:5])
                self.stdout.write(f"  {violation.code}: {violation.detail} [{named}]")
        if violations:
            raise CommandError(f"{len(violations)} violations", returncode=1)

"""Look at everything that must be well for orders to flow."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.diagnosis import diagnose
from config.diagnosis.findings import Finding, Level


class Command(BaseCommand):
    help = "Check this installation, one line per check. Exit code 1 when a check fails."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the findings as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        found = diagnose()
        if options["json"]:
            self.stdout.write(json.dumps([_plain(*each) for each in found], indent=2))
        else:
            width = max(len(name) for name, _ in found)
            for name, finding in found:
                remedy = f" → {finding.remedy}" if finding.remedy else ""
                self.stdout.write(f"{finding.level:>4}  {name:<{width}}  {finding.said}{remedy}")
        failed = [name for name, finding in found if finding.level is Level.FAIL]
        if failed:
            raise CommandError(f"Not well: {', '.join(failed)}.", returncode=1)


def _plain(name: str, finding: Finding) -> dict[str, str]:
    return {
        "check": name,
        "level": finding.level.lower(),
        "said": finding.said,
        "remedy": finding.remedy,
    }

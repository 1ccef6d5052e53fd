"""`manage.py explain ORDER`: why its units go from where they go."""

import json
import sys
from argparse import ArgumentParser
from typing import Any, NoReturn
from uuid import UUID

from django.core.management.base import BaseCommand

from config.kernel.types import ALL_ACCOUNTS
from orders.selectors.holds import standing_of
from orders.selectors.numbers import find_by_number
from routing import engine, selectors
from routing.api.views import as_json
from routing.selectors import DecisionView

NOT_ROUTED, UNKNOWN = 1, 2
"""Exit codes: the order waits and nothing of it was routed; there is no such order or node."""


class Command(BaseCommand):
    help = "Explain the routing of an order: why here, and why not from another node."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("order", help="Number, external number or id of the order.")
        parser.add_argument("--why-not", metavar="NODE", help="Ask about one node by its code.")
        parser.add_argument("--all", action="store_true", help="Earlier decisions too.")
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        order = find_by_number(options["order"], ALL_ACCOUNTS)
        if order is None:
            self._fail(f"There is no order {options['order']}.")
        views = selectors.decisions_of(order.pk, ALL_ACCOUNTS)
        if not options["all"]:
            views = list({view.group_id: view for view in reversed(views)}.values())
        if not views:
            self._not_routed(order.number, order.pk)
        if options["json"]:
            self.stdout.write(json.dumps([as_json(view) for view in views], indent=2))
        elif options["why_not"]:
            self._why_not(views, options["why_not"])
        else:
            for view in views:
                self._why(order.number, view)

    def _not_routed(self, number: str, order_id: UUID) -> NoReturn:
        """Say what the order waits for instead of a node."""
        state, holds = standing_of(order_id)
        self.stderr.write(f"Nothing of {number} was routed yet: {state}")
        for hold in holds:
            self.stderr.write(f"  {hold}")
        sys.exit(NOT_ROUTED)

    def _why(self, number: str, view: DecisionView) -> None:
        self.stdout.write(
            f"{number}, group {view.group_id}, {view.at:%Y-%m-%d %H:%M} UTC, policy {view.policy}"
        )
        for sentence in view.why:
            self.stdout.write(f"  {sentence}")
        for node, verdict, sentence in view.verdicts:
            if verdict is not engine.Verdict.CHOSEN:
                self.stdout.write(f"    {node:<16} {sentence}")

    def _why_not(self, views: list[DecisionView], node: str) -> None:
        told = [sentence for view in views for code, _, sentence in view.verdicts if code == node]
        if not told:
            known = sorted({code for view in views for code, *_ in view.verdicts})
            self._fail(f"The decision knows no node {node}; it knows {', '.join(known)}.")
        for sentence in told:
            self.stdout.write(sentence)

    def _fail(self, why: str) -> NoReturn:
        self.stderr.write(why)
        sys.exit(UNKNOWN)

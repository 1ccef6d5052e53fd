"""`manage.py simulate`: what policies would have done on recorded decisions, beside what was done."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NoReturn
from uuid import UUID

from django.core.management.base import BaseCommand
from django.utils.dateparse import parse_date, parse_datetime

from config.kernel import clock
from config.kernel.errors import DomainError
from config.kernel.selectors import account_id
from config.kernel.services import jobs
from config.kernel.types import ALL_ACCOUNTS, Actor
from routing import engine
from routing import simulation_selectors as selectors
from routing.api.simulations import as_json, certificate_as_json, version_named
from routing.selectors import policies
from routing.services import certificates
from routing.services.simulations import SimulationDraft, start_simulation
from routing.simulating_samples import KINDS, PEAK_TENTHS, Wanted
from routing.simulating_totals import Figures
from routing.simulation_selectors import SimulationView

REFUSED, USAGE, PARTLY = 1, 2, 3
"""Exit codes: there was nothing to play; the question means nothing; some inputs are gone."""

Row = tuple[str, Callable[[Figures, str], str]]
ROWS: Final[tuple[Row, ...]] = (
    ("deliveries", lambda one, _: f"{one.groups:,}"),
    ("moved", lambda one, _: f"{one.moved:,}"),
    ("cost", lambda one, currency: engine.money(one.cost_minor, currency)),
    ("cost each", lambda one, currency: engine.money(round(one.cost_each), currency)),
    ("parcels", lambda one, _: f"{one.parcels:,}"),
    ("split", lambda one, _: f"{one.split_share:.1%}"),
    ("on time", lambda one, _: f"{one.on_time_share:.1%}"),
    ("late days", lambda one, _: f"{one.late_days:,.1f}"),
    ("days each", lambda one, _: f"{one.days_each:.2f}"),
    ("units unfilled", lambda one, _: f"{one.unfilled_units:,}"),
    ("km per parcel", lambda one, _: f"{one.km_each:,.0f}"),
)


class Command(BaseCommand):
    help = "Play recorded decisions again under other policies, and print what differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--policy", action="append", default=[], metavar="CODE@V", help="May be repeated."
        )
        parser.add_argument("--from", dest="since", metavar="WHEN", help="A day or an instant.")
        parser.add_argument("--to", dest="until", metavar="WHEN", help="Not included.")
        parser.add_argument("--sample", choices=KINDS, default="last_7_days")
        parser.add_argument("--order", action="append", default=[], metavar="ID")
        parser.add_argument("--times", type=float, default=PEAK_TENTHS / 10, help="Of a peak.")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--sweep", action="store_true", help="Other weights too.")
        parser.add_argument(
            "--certificate", action="store_true", help="The regret certificate instead, by account."
        )
        parser.add_argument("--account", help="Code, where there are several.")
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        if options["certificate"]:
            self._certificate(options)
            return
        try:
            view = self._played(options)
        except DomainError as error:
            wrong = [one["detail"] for one in error.extra.get("errors", ())]
            self._fail(" ".join([error.detail, *wrong]), REFUSED)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(view), indent=2))
        else:
            self._print(view)
        if view.refused:
            sys.exit(PARTLY)

    def _played(self, options: dict[str, Any]) -> SimulationView:
        known = policies(ALL_ACCOUNTS)
        wanted = tuple(version_named(text, known) for text in options["policy"])
        if not wanted:
            self._fail("Name a policy: --policy cheapest@2", USAGE)
        [account_id] = {row.account_id for row in known if row.pk == wanted[0]}
        now = clock.now()
        draft = SimulationDraft(
            account_id, wanted, self._sample(options, now).sample(), options["sweep"]
        )
        simulation = start_simulation(draft, at=now, actor=Actor.system("manage.py simulate"))
        count = simulation.sample["decisions"]
        self.stderr.write(f"Playing {count:,} decisions: {simulation.title}")
        if simulation.job_id is not None:
            jobs.run_job(simulation.job_id, at=now)
        return selectors.simulation(simulation.pk, ALL_ACCOUNTS)

    def _certificate(self, options: dict[str, Any]) -> None:
        """The period named, else the last seven days: live against hindsight, and why."""
        now = clock.now()
        starts_at = self._moment(options["since"]) or now - certificates.WEEK
        ends_at = self._moment(options["until"]) or now
        known = {row.account_id for row in policies(ALL_ACCOUNTS)}
        if options["account"]:
            known &= {account_id(options["account"])}
        if len(known) != 1:
            self._fail("Name the account: --account CODE", USAGE)
        actor = Actor.system("manage.py simulate")
        try:
            made = certificates.make_certificate(
                known.pop(), starts_at, ends_at, at=now, actor=actor
            )
        except DomainError as error:
            self._fail(error.detail, REFUSED)
        if options["json"]:
            self.stdout.write(json.dumps(certificate_as_json(made), indent=2))
            return
        money = partial(engine.money, currency=made.currency)
        self.stdout.write(f"live      {money(made.live_minor):>14}  {made.orders:,} orders")
        self.stdout.write(f"hindsight {money(made.bound_minor):>14}  ratio {made.ratio:.4f}")
        for cause, part in sorted(made.causes.items(), key=lambda one: -one[1]["minor"]):
            self.stdout.write(f"{cause:<10}{money(part['minor']):>14}  {part['orders']:,} orders")

    def _sample(self, options: dict[str, Any], now: datetime) -> Wanted:
        since, until = self._moment(options["since"]), self._moment(options["until"])
        kind = "orders" if options["order"] else "period" if since else options["sample"]
        try:
            order_ids = tuple(UUID(text) for text in options["order"])
        except ValueError:
            self._fail("An order is named by its id.", USAGE)
        tenths = round(options["times"] * 10)
        return Wanted(kind, now, since, until or now, order_ids, tenths, options["seed"])

    def _moment(self, text: str | None) -> datetime | None:
        if not text:
            return None
        moment = parse_datetime(text)
        if moment is None:
            day = parse_date(text)
            if day is None:
                self._fail(f"{text} is neither a day nor an instant.", USAGE)
            moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _print(self, view: SimulationView) -> None:
        width = max(len(one.label) for one in view.variants) + 2
        self.stdout.write("".join(["".ljust(16), *(v.label.rjust(width) for v in view.variants)]))
        for label, said in ROWS:
            cells = [said(one, view.currency).rjust(width) for one in view.variants]
            self.stdout.write("".join([label.ljust(16), *cells]))
        all_of = view.reproduced + view.drifted
        rest = "; the others meet nodes, rates or stock that are not as they were"
        self.stdout.write(
            f"{view.reproduced:,} of {all_of:,} recorded plans came out as they were"
            f"{rest if view.drifted else ''}."
        )

    def _fail(self, why: str, code: int) -> NoReturn:
        self.stderr.write(why)
        sys.exit(code)

"""A house that runs: a real worker with its own beat, and callers who have nothing but HTTP.

The worker is another process on the tests' database, so what a journey does is committed. Journeys
live in accounts of their own and need no clean table; when a module's last one has ended, the worker
is gone and all is swept before another test begins.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient

from config.kernel.models import Case, Lease
from config.kernel.types import ALL_ACCOUNTS
from integrations.sandbox.gateway import GatewaySandbox, new_reference
from tests.books import check_all
from tests.factories.integrations import a_connection
from tests.factories.kernel import ApiKeyFactory, UserFactory
from tests.factories.routing import Network, a_network
from tests.quick_flush import flush

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE = 150.0
"""Seconds. A busy machine is slow, not wrong: only what never comes runs into it."""
POLL = 0.1
WATCHING = (
    "step:console.watch_invariants",
    "step:inventory.watch_drift",
    "step:inventory.compare_figures",
    "step:cases.detect_stuck",
    "step:fulfillment.measure_nodes",
)
_WITH_ITS_PARENT = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Runs the command that follows; it is ended when the process that started it is gone, even killed."""
ADDRESS = {
    "name": "Ada Buyer",
    "line1": "12 Main Street",
    "city": "Albany",
    "region": "NY",
    "postal_code": "12207",
    "country": "US",
}


@pytest.fixture(scope="module")
def gateway() -> Iterator[GatewaySandbox]:
    """The payment gateway that the worker calls. It listens here, so that its books can be read."""
    with GatewaySandbox("gateway").running() as made:
        yield made  # type: ignore[misc]  # the simulator itself


@dataclass(frozen=True)
class Worker:
    """A Celery worker with its beat: a group of processes, and what it has said."""

    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Fail with its last words if it has ended."""
        assert self.process.poll() is None, self.said()

    def said(self) -> str:
        return self.log.read_text()[-4_000:]

    def stop(self) -> None:
        """End it, its beat too, and wait until the database knows neither."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        with suppress(ProcessLookupError):  # whoever of its group is left
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        wait_for(lambda: not _other_sessions(), "a session of the worker outlived it")


def wait_for(
    seen: Callable[[], Any], otherwise: str, each: Callable[[], None] | None = None
) -> Any:
    """What `seen` answers once it is something. Between two looks comes `each`."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := seen():
            return found
        if each is not None:
            each()
        time.sleep(POLL)
    raise AssertionError(otherwise)


def _other_sessions() -> int:
    """How many besides this one are on the tests' database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        return int(cursor.fetchone()[0])


@pytest.fixture(scope="module")
def worker(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
    gateway: GatewaySandbox,
) -> Iterator[Worker]:
    """A Celery worker with beat. Whatever is not done over HTTP, it does."""
    folder = tmp_path_factory.mktemp("worker")
    assert connection.settings_dict["NAME"] == connection.settings_dict["TEST"]["NAME"]
    with django_db_blocker.unblock(), (folder / "worker.log").open("w") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", _WITH_ITS_PARENT),
                *(sys.executable, "-m", "celery", "-A", "config", "worker", "-B", "--purge"),
                *("--pool", "solo", "--schedule", str(folder / "beat"), "--loglevel", "INFO"),
                *("--without-gossip", "--without-mingle"),
            ],
            cwd=CHECKOUT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "tests.journeys.worker_settings",
                "JOURNEY_DATABASE": connection.settings_dict["NAME"],
                "FAKEPAY_URL": gateway.url,
            },
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        started = Worker(process, folder / "worker.log")
        try:
            wait_for(_has_ticked, "the worker never began", started.check)
            yield started
            started.check()
        finally:
            started.stop()
            flush(connection)


def _has_ticked() -> bool:
    return Lease.objects.filter(name__startswith="step:").exists()


@pytest.fixture
def _django_db_helper(worker: Worker) -> None:
    """In place of pytest-django's: no transaction around a journey, no truncation under the worker.

    The mark `django_db` then only says that the database must be there.
    """


def _caller(key: Any) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    return client


class House:
    """A shop over HTTP: what its channel, its nodes and its staff can say and see."""

    def __init__(self, worker: Worker, *nodes: str, pickup: tuple[str, ...] = ()) -> None:
        self.worker = worker
        self.network: Network = a_network(*nodes, pickup=pickup)
        a_connection(self.network.channel)
        account = self.network.account
        self.client = _caller(ApiKeyFactory(account=account, channel=self.network.channel))
        self.nodes = _caller(ApiKeyFactory(account=account))
        """Works on what is no single channel's, such as the labels of many parcels."""
        self.staff = APIClient()
        self.staff.force_authenticate(UserFactory(superuser=True))
        self._numbers = 0

    def stock(self, sku: str, **units: int) -> None:
        self.network.stock(sku, **units)

    def order(self, *groups: Mapping[str, Any], **details: Any) -> dict[str, Any]:
        """Send an order that the channel has been paid for; the answer."""
        self._numbers += 1
        total = sum(1000 * line["quantity"] for group in groups for line in group["lines"])
        body = {
            "external_id": f"W-{self._numbers}",
            "customer": {"name": "Ada Buyer", "email": "ada@example.com"},
            "groups": list(groups),
            "tenders": [{"kind": "card", "collected_by": "channel", "amount_minor": total}],
            "totals": {"total_minor": total},
            **details,
        }
        answer = self.client.post("/api/v1/orders", body, format="json")
        assert answer.status_code == 201, answer.content
        return answer.json()

    def order_by_card(
        self, *groups: Mapping[str, Any], behavior: str = "ok"
    ) -> tuple[dict[str, Any], str]:
        """Send an order that a card stands for; the answer, and the authorisation's reference."""
        total = sum(1000 * line["quantity"] for group in groups for line in group["lines"])
        reference = new_reference(total, behavior)
        tender = {
            "kind": "card",
            "collected_by": "us",
            "provider": "fakepay",
            "amount_minor": total,
            "authorization_reference": reference,
        }
        return self.order(*groups, tenders=[tender]), reference

    def money_of(self, order_id: str) -> list[tuple[str, str, int]]:
        """(kind, state, minor units) of every authorisation, capture, refund and invoice."""
        rows = self.read(order_id)["money"]
        return sorted((row["kind"], row["state"], row["amount_minor"]) for row in rows)

    def answered(self, order_id: str, kind: str, state: str) -> list[tuple[str, str, int]]:
        """Wait until the provider has answered: a row of the kind is in this state; all money."""

        def seen() -> list[tuple[str, str, int]] | None:
            money = self.money_of(order_id)
            return money if (kind, state) in {row[:2] for row in money} else None

        return self.until(seen)

    def read(self, order_id: str) -> dict[str, Any]:
        return self.staff.get(f"/api/v1/orders/{order_id}").json()

    def cases_of(self, order_id: str) -> list[str]:
        """The kinds of the open cases about the order."""
        cases = Case.objects.for_scope(ALL_ACCOUNTS).filter(subject_id=order_id)
        return sorted(cases.filter(resolved_at=None).values_list("kind", flat=True))

    def tables_with(self, *words: str) -> list[str]:
        """The tables with a row that, written out as text, says one of the words."""
        pattern = "|".join(words)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r'"
                " AND relnamespace = 'public'::regnamespace ORDER BY relname"
            )
            looks = [
                f"SELECT '{name}' WHERE EXISTS"  # noqa: S608  # names of the catalog
                f' (SELECT FROM "{name}" kept WHERE to_jsonb(kept)::text ~* %(pattern)s)'
                for (name,) in cursor.fetchall()
            ]
            cursor.execute(" UNION ALL ".join(looks), {"pattern": pattern})
            return [name for (name,) in cursor.fetchall()]

    def say(self, order_id: str, verb: str, **body: Any) -> dict[str, Any]:
        """Something the merchant does to the order."""
        answer = self.staff.post(f"/api/v1/orders/{order_id}/{verb}", body, format="json")
        assert answer.status_code < 300, answer.content
        return answer.json()

    def work_of(self, number: str) -> list[dict[str, Any]]:
        """The fulfillment orders of an order, oldest first."""
        answer = self.client.get("/api/v1/fulfillment-orders", {"order": number})
        return sorted(answer.json()["results"], key=lambda row: row["id"])

    def released(self, number: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until the worker has released so many."""
        return self.until(lambda: found if len(found := self.work_of(number)) >= count else None)

    def report(self, work: Mapping[str, Any], verb: str, **body: Any) -> list[dict[str, Any]]:
        """Something a node reports; each item's result."""
        answer = self.client.post(
            f"/api/v1/fulfillment-orders/{work['id']}/{verb}", body, format="json"
        )
        assert answer.status_code == 200, answer.content
        return answer.json()["results"]

    def pick_and_pack(self, work: Mapping[str, Any], picked: int | None = None) -> list[str]:
        """Pick so far so many of each line (or all), pack what is picked; the parcels' ids."""
        picks = [
            {"line": line["id"], "picked": line["requested"] if picked is None else picked}
            for line in work["lines"]
        ]
        self.report(work, "pick", picks=picks)
        return self.report(work, "pack")[0]["value"]["parcel_ids"]

    def ship(self, work: Mapping[str, Any], picked: int | None = None) -> list[str]:
        parcels = self.pick_and_pack(work, picked)
        self.report(work, "ship", parcels=[{"parcel": parcel} for parcel in parcels])
        return parcels

    def track(self, parcel_id: str, status: str, happened_at: str) -> None:
        body = {"events": [{"status": status, "happened_at": happened_at}]}
        answer = self.client.post(f"/api/v1/parcels/{parcel_id}/tracking", body, format="json")
        assert answer.status_code == 200, answer.content

    def until(self, seen: Callable[[], Any]) -> Any:
        """What `seen` answers once it is something; fails when it stays nothing for too long."""

        def meanwhile() -> None:
            self.worker.check()
            _end_rests()

        return wait_for(seen, "the worker did not come round to it", meanwhile)


def _end_rests() -> None:
    """Let the worker's steps come round at its next tick: a journey does not sit out their rest.

    What watches has its rest: at every sweep it would leave the worker time for nothing else.
    """
    resting = Lease.objects.filter(name__startswith="step:", done_at__isnull=False)
    resting.exclude(name__in=WATCHING).update(expires_at=F("done_at"))


def lines(*wanted: tuple[str, int]) -> dict[str, Any]:
    """A group that ships these units to the buyer's home."""
    return {
        "address": ADDRESS,
        "lines": [
            {"external_id": sku, "sku_code": sku, "quantity": units, "unit_price": "10.00"}
            for sku, units in wanted
        ],
    }


@pytest.fixture
def make_house(worker: Worker) -> Iterator[Callable[..., House]]:
    """Open a house; when the journey is over its books must agree."""
    yield partial(House, worker)
    assert check_all() == []

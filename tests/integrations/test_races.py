"""The integrations under real concurrency: storms of duplicates, and a process that is killed."""

import gzip
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from config.kernel.types import ALL_ACCOUNTS
from integrations import selectors, services
from integrations.imports.profiles import PROFILES
from integrations.models import ImportRun, InboxMessage
from integrations.services.imports import ImportRequest, import_orders
from orders.models import Order, OrderLine
from tests.factories.integrations import a_connection
from tests.factories.kernel import NOON
from tests.factories.routing import SYSTEM, Network, a_network
from tests.integrations import importer
from tests.integrations.documents import shop_order
from tests.integrations.samples import ONLINE_RETAIL, need
from tests.integrations.test_webhooks import incoming, send

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("integrations.api.urls"),
]

SENDERS = 16
LINES = 5_000


def together(call, times: int = SENDERS) -> list[object]:
    """The same call from many threads at once, each with a connection of its own."""
    start = threading.Barrier(times)

    def run(number: int) -> object:
        try:
            start.wait()
            return call(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


@pytest.fixture
def network() -> Network:
    network = a_network()
    network.stock("TEE-M", NEWARK=1_000)
    a_connection(network.channel)
    return network


class TestDuplicates:
    def test_of_one_message_at_the_same_instant_make_one_order(self, network):
        answers = together(lambda _: send(network, shop_order()))

        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert Order.objects.for_scope(ALL_ACCOUNTS).count() == 1

    def test_under_different_message_ids_make_one_order(self, network):
        together(lambda number: send(network, shop_order(), message=f"m-{number}"))

        states = InboxMessage.objects.for_scope(ALL_ACCOUNTS).values_list("state", flat=True)
        assert sorted(states) == ["applied", *["ignored"] * (SENDERS - 1)]
        assert Order.objects.for_scope(ALL_ACCOUNTS).count() == 1

    def test_that_are_swept_by_many_workers_have_one_effect(self, network):
        kept = services.keep_messages(
            [incoming(network, str(n), shop_order(id=n)) for n in range(20)],
            at=NOON,
            actor=SYSTEM,
        )
        message_ids = [one.id for one in kept]

        together(lambda _: services.apply_messages(message_ids, at=NOON, actor=SYSTEM), times=4)

        states = InboxMessage.objects.for_scope(ALL_ACCOUNTS).values_list("state", flat=True)
        assert set(states) == {"applied"}
        assert Order.objects.for_scope(ALL_ACCOUNTS).count() == 20


class TestKilledImport:
    def test_goes_on_as_if_it_had_never_been_killed(self, network, tmp_path):
        head = tmp_path / "head.csv"
        with gzip.open(need(ONLINE_RETAIL), "rt", encoding="utf-8") as file:
            head.write_text("".join(file.readline() for _ in range(LINES + 1)))

        told = self.killed_after(3, head, network.channel.code)
        run = ImportRun.objects.for_scope(ALL_ACCOUNTS).get()
        at_kill = sum(run.counts.values())
        request = ImportRequest(
            head,
            PROFILES["online-retail"],
            selectors.channel_ref(network.channel),
            "history",
        )
        done = import_orders(request, request.profile.scan(head), at=NOON, actor=SYSTEM)

        assert told <= at_kill < LINES
        assert done.before == at_kill
        assert sum(done.counts.values()) == LINES
        assert done.counts["repeated"] == done.counts["failed"] == 0
        kept = OrderLine.objects.for_scope(ALL_ACCOUNTS).count()
        assert kept == done.counts["captured"] + done.counts["service"]

    def killed_after(self, batches: int, path: Path, channel: str) -> int:
        """Import in a process of its own, end it with SIGKILL; answer the lines it last told of."""
        process = subprocess.Popen(
            [
                sys.executable,
                str(Path(importer.__file__)),
                connection.settings_dict["NAME"],
                str(path),
                channel,
            ],
            cwd=Path(__file__).parents[2],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE,
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            told = [int(process.stdout.readline()) for _ in range(batches)][-1]
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
        return told

"""A receiver that fails in every way: nothing is lost, nothing forged, nothing out of order."""

import base64
import hashlib
import hmac
import random
import shutil
import subprocess
import time
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from threading import Event
from uuid import UUID

import pytest
from django.db import connection
from standardwebhooks.webhooks import Webhook

from config.kernel import ids
from config.kernel.events import Recorded
from config.kernel.services import intents
from config.kernel.types import ALL_ACCOUNTS
from integrations.models import WebhookDelivery
from integrations.webhooks_out import deliveries, endpoints, pressure, selectors
from tests.factories import fulfillment as work
from tests.factories.buyers import told
from tests.factories.kernel import NOON
from tests.factories.webhooks import IDA, an_endpoint
from tests.webhooks_out.receiver import Receiver, Reply, receiving

pytestmark = pytest.mark.django_db(transaction=True)
SUBJECTS, WAVE = 9, 100
BROKEN: list[Reply] = [(500, {}, b""), (503, {"Retry-After": "1"}, b"")]
PUT_OFF: list[Reply] = [
    (429, {"Retry-After": "2"}, b""),
    (301, {"Location": "http://127.0.0.1:1/"}, b""),
]
HANGS_SECONDS = 6
"""Longer than we wait for an answer."""


@dataclass
class FlakySink(Receiver):
    """Is broken one time in five, else puts off one in twenty; some of its calls hang or are 410."""

    dice: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311
    hangs: Collection[int] = (10,)
    gone: Collection[int] = ()
    calls: Iterator[int] = field(default_factory=lambda: count(1))
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def answer(self, headers: dict[str, str], body: bytes) -> Reply:
        self.came.append((headers, body))
        number, draw = next(self.calls), self.dice.random()
        if number in self.gone:
            return 410, {}, b""
        if number in self.hangs:
            time.sleep(HANGS_SECONDS)
            return 200, {}, b""
        if draw < 0.25:
            return self.dice.choice(BROKEN if draw < 0.2 else PUT_OFF)
        self.taken.append((headers, body))
        return 200, {}, b""


def verified_by_hand(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """The standard as its text says it, without anybody's library."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mine = "v1," + base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
    return mine in headers["webhook-signature"].split(" ")


def carry_out(over: Event) -> None:
    """What is due, as a worker does, until all is over."""
    try:
        while not over.is_set():
            if not intents.run_due(at=NOON, limit=1):
                over.wait(0.05)
    finally:
        connection.close()


def hurry() -> None:
    """Nobody waits for a back-off, nor for the rest of an endpoint that let a call hang."""
    pressure.forget()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_intent SET due_at = clock_timestamp() "
            "WHERE state IN ('pending', 'unknown') AND due_at > clock_timestamp()"
        )


def left(state: str) -> bool:
    return WebhookDelivery.objects.for_scope(ALL_ACCOUNTS).filter(state=state).exists()


def live(
    sinks: dict[UUID, FlakySink], waves: Iterable[list[Recorded]], *, workers: int, rotate_at: int
) -> None:
    """Have things happen, wave after wave, until every endpoint has everything.

    On the way each secret changes once, and a receiver that said it was gone comes back.
    """
    rotating, over = set(sinks), Event()
    with ThreadPoolExecutor(workers) as pool:
        working = [pool.submit(carry_out, over) for _ in range(workers)]
        try:
            for wave in waves:
                deliveries.fan_out(wave, at=NOON, actor=IDA)
                while left("waiting") or left("kept"):
                    hurry()
                    for key in [one for one in rotating if len(sinks[one].came) >= rotate_at]:
                        endpoints.rotate_secret(key, at=NOON, actor=IDA)
                        rotating.remove(key)
                    if not left("waiting"):
                        for key in sinks:
                            enable_again(key)
                    time.sleep(0.1)
        finally:
            over.set()
    for one in working:
        one.result()
    assert not rotating


def enable_again(endpoint_id: UUID) -> None:
    """What an operator does once a receiver that was gone is back."""
    if selectors.endpoint_now(endpoint_id).state == "disabled":
        endpoints.switch_endpoint(endpoint_id, enabled=True, at=NOON, actor=IDA)
        deliveries.replay_span(endpoint_id, since=NOON - timedelta(days=1), at=NOON, actor=IDA)


@pytest.mark.parametrize(
    ("count_of_events", "receivers", "hangs", "gone"),
    [
        (60, 1, (10,), ()),
        pytest.param(
            *(1_000, 4, range(10, 100_000, 20), (200, 700)),
            marks=[pytest.mark.soak, pytest.mark.timeout(3_600)],
        ),
    ],
    ids=["60", "4,000"],
)
def test_nothing_is_lost_forged_or_out_of_order_and_a_rotation_goes_unnoticed(
    count_of_events: int, receivers: int, hangs: Collection[int], gone: Collection[int]
) -> None:
    order = work.released()[0].order
    with ExitStack() as listening:
        sinks: dict[UUID, FlakySink] = {}
        for number in range(receivers):
            dice = random.Random(7 + number)  # noqa: S311  # guards nothing
            sink = listening.enter_context(receiving(FlakySink(dice=dice, hangs=hangs, gone=gone)))
            endpoint = an_endpoint(sink.url, account=order.account, name=f"Receiver {number}")
            sinks[endpoint.pk] = sink
        old = {key: selectors.secrets_of(selectors.endpoint_now(key))[0].text for key in sinks}
        subjects = [ids.uuid7() for _ in range(SUBJECTS)]
        events = [
            told("order.accepted", order, subject=subjects[number % SUBJECTS], seq=number)
            for number in range(count_of_events)
        ]
        waves = (events[first : first + WAVE] for first in range(0, count_of_events, WAVE))
        live(sinks, waves, workers=2 * receivers, rotate_at=count_of_events // 3)

        heard = {key: (list(sink.came), list(sink.taken)) for key, sink in sinks.items()}
    for key, (came, taken) in heard.items():
        assert len(came) > count_of_events
        for headers, body in came:
            assert Webhook(old[key]).verify(body, headers)["type"] == "order.accepted"
            assert verified_by_hand(old[key], headers, body)
        read = [Webhook(old[key]).verify(body, headers)["data"] for headers, body in taken]
        assert {each["event_id"] for each in read} == {str(event.id) for event in events}
        for subject in subjects:
            sequence = [each["sequence"] for each in read if each["subject"]["id"] == str(subject)]
            assert list(dict.fromkeys(sequence)) == sorted(set(sequence))


PERL = """
use Digest::SHA qw(hmac_sha256); use MIME::Base64;
my ($secret, $id, $time, $signature, $body) = @ARGV;
$secret =~ s/^whsec_//;
my $mine = "v1," . encode_base64(hmac_sha256("$id.$time.$body", decode_base64($secret)), "");
exit((grep { $_ eq $mine } split(/ /, $signature)) ? 0 : 1);
"""


NODE = """
const { createHmac } = require("crypto");
const [secret, id, time, signature, body] = process.argv.slice(1);
const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
const mine = "v1," + createHmac("sha256", key).update(`${id}.${time}.${body}`).digest("base64");
process.exit(signature.split(" ").includes(mine) ? 0 : 1);
"""


@pytest.mark.parametrize(("language", "program"), [("perl", PERL), ("node", NODE)])
def test_another_language_agrees(language: str, program: str) -> None:
    if not shutil.which(language):
        pytest.skip(f"{language} is not installed")
    order = work.released()[0].order
    with receiving() as receiver:
        endpoint = an_endpoint(receiver.url, account=order.account)
        deliveries.fan_out(
            [told("order.accepted", order, {"note": "Grüße, 你好"})], at=NOON, actor=IDA
        )
        intents.run_due(at=NOON)
        [(headers, body)] = receiver.came
    said = [headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature")]

    def checked(secret: str) -> int:
        command = [language, "-e", program, secret, *said, body.decode()]
        return subprocess.run(command, check=False).returncode

    assert checked(selectors.secrets_of(endpoint)[0].text) == 0
    assert checked("whsec_" + base64.b64encode(b"another").decode()) == 1

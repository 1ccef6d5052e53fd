"""A receiver that fails in every way: nothing is lost, nothing forged, nothing out of order."""

import base64
import hashlib
import hmac
import random
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from standardwebhooks.webhooks import Webhook

from config.kernel import ids
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
EVENTS, SUBJECTS = 60, 9
TROUBLE: list[Reply] = [
    (500, {}, b""),
    (503, {"Retry-After": "1"}, b""),
    (429, {"Retry-After": "2"}, b""),
    (301, {"Location": "http://127.0.0.1:1/"}, b""),
]


@dataclass
class FlakySink(Receiver):
    """Takes four of five; of the rest most are refused, and one hangs."""

    dice: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311
    hangs: int = 1
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def answer(self, headers: dict[str, str], body: bytes) -> Reply:
        self.came.append((headers, body))
        if self.hangs and len(self.came) == 10:
            self.hangs -= 1
            time.sleep(6)
            return 200, {}, b""
        if self.dice.random() < 0.25:
            return self.dice.choice(TROUBLE)
        self.taken.append((headers, body))
        return 200, {}, b""


def verified_by_hand(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """The standard as its text says it, without anybody's library."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mine = "v1," + base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
    return mine in headers["webhook-signature"].split(" ")


def drain(sink: FlakySink, *, rotate: Any) -> None:
    for turn in range(60):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE kernel_intent SET due_at = clock_timestamp()")
        pressure.forget()  # its rest would take minutes
        intents.run_due(at=NOON, limit=50)
        if turn == 2:
            rotate()
        if not WebhookDelivery.objects.for_scope(ALL_ACCOUNTS).filter(state="waiting").exists():
            return


def test_nothing_is_lost_forged_or_out_of_order_and_a_rotation_goes_unnoticed() -> None:
    order = work.released()[0].order
    with receiving(FlakySink()) as sink:
        endpoint = an_endpoint(sink.url, account=order.account)
        old = selectors.secrets_of(endpoint)[0].text
        subjects = [ids.uuid7() for _ in range(SUBJECTS)]
        events = [
            told("order.accepted", order, subject=subjects[number % SUBJECTS], seq=number)
            for number in range(EVENTS)
        ]
        deliveries.fan_out(events, at=NOON, actor=IDA)

        drain(sink, rotate=lambda: endpoints.rotate_secret(endpoint.pk, at=NOON, actor=IDA))

        came, taken = list(sink.came), list(sink.taken)
    assert len(came) > EVENTS
    for headers, body in came:
        assert Webhook(old).verify(body, headers)["type"] == "order.accepted"
        assert verified_by_hand(old, headers, body)
    read = [Webhook(old).verify(body, headers)["data"] for headers, body in taken]
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


@pytest.mark.skipif(not shutil.which("perl"), reason="perl is not installed")
def test_another_language_agrees() -> None:
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
        return subprocess.run(
            ["perl", "-e", PERL, secret, *said, body.decode()], check=False
        ).returncode

    assert checked(selectors.secrets_of(endpoint)[0].text) == 0
    assert checked("whsec_" + base64.b64encode(b"another").decode()) == 1

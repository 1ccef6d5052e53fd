"""The receivers that docs/webhooks.md shows, each run by its own interpreter, against our signer."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from integrations.webhooks_out import signing
from integrations.webhooks_out.signing import Secret

SAMPLES: Final = Path(__file__).parents[2] / "docs/samples/webhooks"
BODY: Final = '{"data":{"number":"P-1042","place":"Zürich"},"type":"parcel.delivered"}'
EVENT: Final = UUID(int=7)
NEW, OLD, FOREIGN = (signing.new_secret() for _ in range(3))

Headers = dict[str, str]
Send = Callable[[Headers, str], int]
"""Answers the status with which the receiver takes these bytes."""

PUBLISHED: Final = (
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    '{"test": 2432232314}',
)
"""The vector that the libraries of Standard Webhooks are tested by: secret, headers, body."""


def interpreter(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on this machine")
    return found


@contextmanager
def in_python(secrets: str, tolerance: int, folder: Path) -> Iterator[Send]:
    """The library itself, as the page uses it; its tolerance is five minutes."""
    del tolerance, folder

    def send(headers: Headers, body: str) -> int:
        for secret in secrets.split():
            # What is no signature at all it cannot take apart.
            with suppress(WebhookVerificationError, ValueError):
                Webhook(secret).verify(body.encode(), headers)
                return 204
        return 401

    yield send


@contextmanager
def in_javascript(secrets: str, tolerance: int, folder: Path) -> Iterator[Send]:
    del folder
    settings = {"WEBHOOK_SECRETS": secrets, "WEBHOOK_TOLERANCE": str(tolerance), "PORT": "0"}
    with subprocess.Popen(
        [interpreter("node"), str(SAMPLES / "receiver.mjs")],
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        text=True,
    ) as receiver:
        assert receiver.stdout is not None
        port = receiver.stdout.readline().split()[-1]

        def send(headers: Headers, body: str) -> int:
            link = HTTPConnection("127.0.0.1", int(port))
            with closing(link):
                link.request("POST", "/", body.encode(), headers)
                return link.getresponse().status

        try:
            yield send
        finally:
            receiver.terminate()


@contextmanager
def in_perl(secrets: str, tolerance: int, folder: Path) -> Iterator[Send]:
    settings = {
        "WEBHOOK_SECRETS": secrets,
        "WEBHOOK_TOLERANCE": str(tolerance),
        "WEBHOOK_FOLDER": str(folder),
    }

    def send(headers: Headers, body: str) -> int:
        given = {f"HTTP_{name.upper().replace('-', '_')}": each for name, each in headers.items()}
        raw = body.encode()
        answer = subprocess.run(  # our own sample
            [interpreter("perl"), str(SAMPLES / "receiver.pl")],
            input=raw,
            env=os.environ | settings | given | {"CONTENT_LENGTH": str(len(raw))},
            capture_output=True,
            check=True,
        )
        return int(answer.stdout.split()[1])

    yield send


@pytest.fixture(params=[in_python, in_javascript, in_perl], ids=["python", "javascript", "perl"])
def receiver(request: pytest.FixtureRequest) -> Any:
    return request.param


def signed(*secrets: str, body: str = BODY, age: int = 0) -> Headers:
    """What our signer sends with a body, of so many seconds ago."""
    now = datetime.now(UTC) - timedelta(seconds=age)
    later = now + timedelta(hours=24)
    held = [Secret(secrets[0]), *(Secret(old, later) for old in secrets[1:])]
    return signing.headers(held, EVENT, body, now=now)


def test_takes_what_we_sign_and_nothing_else(receiver: Any, tmp_path: Path) -> None:
    with receiver(NEW, 300, tmp_path) as send:
        good = signed(NEW)
        assert [send(good, BODY) for _ in range(2)] == [204, 204]
        assert send(signed(NEW, OLD), BODY) == 204
        assert send(signed(OLD, NEW), BODY) == 204

        assert send(good, BODY.replace("1042", "1043")) == 401
        assert send(good | {"webhook-id": "msg_other"}, BODY) == 401
        assert send(signed(FOREIGN), BODY) == 401
        assert send(good | {"webhook-signature": "v1,"}, BODY) == 401
        assert send(good | {"webhook-signature": good["webhook-signature"][3:]}, BODY) == 401
        assert send(signed(NEW, age=400), BODY) == 401
        assert send(signed(NEW, age=-400), BODY) == 401
        assert send(good | {"webhook-timestamp": "soon"}, BODY) == 401


def test_takes_both_secrets_while_they_are_exchanged(receiver: Any, tmp_path: Path) -> None:
    with receiver(f"{NEW} {OLD}", 300, tmp_path) as send:
        assert [send(signed(one), BODY) for one in (NEW, OLD, FOREIGN)] == [204, 204, 401]


@pytest.mark.parametrize("receiver", [in_javascript, in_perl], ids=["javascript", "perl"])
def test_takes_the_published_vector(receiver: Any, tmp_path: Path) -> None:
    secret, headers, body = PUBLISHED
    with receiver(secret, 10**10, tmp_path) as send:
        assert send(headers, body) == 204
        assert send(headers, body.replace("4", "5")) == 401

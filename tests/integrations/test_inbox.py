"""The inbox: kept first and once, applied by each adapter's applier, tried again, buried."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.ids import uuid7
from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS, Actor
from integrations import appliers, selectors, services
from integrations.appliers import Applied, Ignored, NotYet, Received, Refused, Verdict
from integrations.models import Connection, InboxBody, InboxMessage
from integrations.services import Found
from integrations.services.inbox import ATTEMPTS
from tests.factories.integrations import a_connection
from tests.factories.kernel import NOON, ChannelFactory
from tests.factories.routing import SYSTEM

pytestmark = pytest.mark.django_db

ADAPTER = "tested"
SUBJECT = uuid7()


class Counterpart:
    """An applier that says what it is told to, by the message's kind."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Verdict | Exception] = {}
        self.batches: list[list[str]] = []
        self.followed: list[Applied] = []

    def apply(self, letters: Sequence[Received], *, at: datetime, actor: Actor) -> list[Verdict]:
        assert connection.in_atomic_block
        self.batches.append([one.row.external_id for one in letters])
        said = [self.verdicts.get(one.row.kind, Applied("order", SUBJECT)) for one in letters]
        for verdict in said:
            if isinstance(verdict, Exception):
                raise verdict
        return [verdict for verdict in said if not isinstance(verdict, Exception)]

    def follow(self, applied: Sequence[Applied], *, at: datetime, actor: Actor) -> None:
        self.followed += applied


@pytest.fixture
def counterpart() -> Iterator[Counterpart]:
    other = Counterpart()
    appliers.register(ADAPTER, other, follow=other.follow)
    yield other
    del appliers._appliers[ADAPTER]


@pytest.fixture
def ref() -> Any:
    return a_connection(ChannelFactory(), ADAPTER)


def take_in(ref, *kinds: str):
    found = [Found(f"m-{n}", kind, b"{}") for n, kind in enumerate(kinds)]
    return services.take_in_all(ref, found, at=NOON, actor=SYSTEM)


def messages():
    return InboxMessage.objects.for_scope(ALL_ACCOUNTS).order_by("pk")


class TestTakeIn:
    def test_keeps_and_applies_what_a_poll_has_found(self, counterpart, ref):
        kept = services.take_in(ref, "7", "order.changed", b'{"id": 7}', at=NOON, actor=SYSTEM)

        message = messages().get()
        assert (message.pk, message.state, message.subject_id) == (kept.id, "applied", SUBJECT)
        assert (message.source, message.connection_id) == (f"tested:{ref.code}", ref.id)
        assert selectors.letters_of([message.pk])[message.pk].raw == b'{"id": 7}'

    def test_leaves_what_a_push_has_brought_before(self, counterpart, ref):
        services.take_in(ref, "7", "order.changed", b"pushed", at=NOON, actor=SYSTEM)

        again = services.take_in(ref, "7", "order.changed", b"polled", at=NOON, actor=SYSTEM)

        assert again.repeated
        assert counterpart.batches == [["7"]]
        assert InboxBody.objects.count() == 1

    def test_hears_from_the_connection(self, counterpart, ref):
        take_in(ref, "x")

        assert Connection.objects.for_scope(ALL_ACCOUNTS).get().last_heard_at == NOON

    def test_asks_as_little_of_the_database_for_fifty_as_for_two(self, counterpart, ref):
        def statements(prefix: str, count: int) -> int:
            found = [Found(f"{prefix}{n}", "x", b"{}") for n in range(count)]
            with CaptureQueriesContext(connection) as queries:
                services.take_in_all(ref, found, at=NOON, actor=SYSTEM)
            return len(queries)

        statements("warm", 1)
        assert statements("a", 2) == statements("b", 50)

    def test_bears_ids_that_no_database_would(self, counterpart, ref):
        services.take_in(ref, "a\x00" * 300, "k\x00" * 60, b"{}", at=NOON, actor=SYSTEM)

        assert (len(messages().get().external_id), messages().get().kind) == (255, "k" * 48)


class TestVerdicts:
    def test_stand_on_the_messages(self, counterpart, ref):
        counterpart.verdicts = {
            "no": Ignored("topic", "It asks nothing."),
            "late": Ignored("too-late", "It has left.", "order", SUBJECT, SUBJECT),
            "early": NotYet("no-order", "Its order has not come yet."),
            "bad": Refused("unreadable", "It has no id."),
        }

        take_in(ref, "yes", "no", "late", "early", "bad")

        assert list(messages().values_list("state", "code")) == [
            ("applied", ""),
            ("ignored", "topic"),
            ("ignored", "too-late"),
            ("received", "no-order"),
            ("dead", "unreadable"),
        ]
        assert messages()[2].thread_id == SUBJECT
        assert [report.subject_id for report in CaseReport.objects.all()] == [messages()[4].pk]

    def test_are_followed_for_what_was_created(self, counterpart, ref):
        made = Applied("order", SUBJECT, created=True)
        counterpart.verdicts = {"new": made}

        take_in(ref, "new", "old")

        assert counterpart.followed == [made]

    def test_that_it_is_too_early_are_given_up_after_some_attempts(self, counterpart, ref):
        counterpart.verdicts = {"early": NotYet("no-order", "Its order has not come yet.")}
        [kept] = take_in(ref, "early")

        for _ in range(ATTEMPTS - 1):
            services.apply_messages([kept.id], at=NOON, actor=SYSTEM)

        assert (messages().get().state, messages().get().attempts) == ("dead", ATTEMPTS)
        assert CaseReport.objects.get().kind == "INBOX_DEAD"

    def test_come_after_all_when_the_subject_does(self, counterpart, ref):
        counterpart.verdicts = {"early": NotYet("no-order", "Its order has not come yet.")}
        [kept] = take_in(ref, "early")
        counterpart.verdicts = {}

        services.apply_messages([kept.id], at=NOON, actor=SYSTEM)

        assert messages().get().state == "applied"


class TestTheSweep:
    def test_tries_again_after_thrice_as_long_each_time(self, counterpart, ref):
        counterpart.verdicts = {"early": NotYet("no-order", "Its order has not come yet.")}
        take_in(ref, "early")
        came = messages().get().recorded_at

        tried = [
            services.apply_unsettled(now=came + timedelta(seconds=seconds), at=NOON, actor=SYSTEM)
            for seconds in (60, 91, 200, 271)
        ]

        assert tried == [0, 1, 0, 1]


class TestFaults:
    def test_of_one_message_do_not_stop_the_others(self, counterpart, ref):
        counterpart.verdicts = {"bad": RuntimeError("our own fault")}

        take_in(ref, "a", "b", "bad", "c")

        assert list(messages().values_list("state", "attempts", "code")) == [
            ("applied", 0, ""),
            ("applied", 0, ""),
            ("received", 1, "fault"),
            ("applied", 0, ""),
        ]

    def test_leave_the_message_kept(self, counterpart, ref):
        counterpart.verdicts = {"bad": RuntimeError("our own fault")}
        [kept] = take_in(ref, "bad")

        counterpart.verdicts = {}
        services.apply_messages([kept.id], at=NOON, actor=SYSTEM)

        assert messages().get().state == "applied"

    def test_after_the_commit_leave_the_effect_standing(self, counterpart, ref):
        def fail(applied: Sequence[Applied], *, at: datetime, actor: Actor) -> None:
            raise RuntimeError("after the commit")

        counterpart.verdicts = {"new": Applied("order", SUBJECT, created=True)}
        appliers._appliers[ADAPTER] = appliers._Registered(counterpart, fail)

        take_in(ref, "new")

        assert messages().get().state == "applied"

    def test_of_an_adapter_that_is_not_installed_bury_the_message(self, ref):
        take_in(ref, "x")

        assert (messages().get().state, messages().get().code) == ("dead", "no-applier")


class TestBatches:
    def test_go_to_each_adapter_at_once(self, counterpart, ref):
        other = a_connection(ChannelFactory(), ADAPTER)
        kept = [
            *services.keep_messages(
                [
                    services.Incoming.of(
                        connected, external_id=f"{n}", kind="x", headers={}, raw=b"{}"
                    )
                    for connected in (ref, other)
                    for n in range(2)
                ],
                at=NOON,
                actor=SYSTEM,
            )
        ]

        services.apply_messages([one.id for one in kept], at=NOON, actor=SYSTEM)

        assert [sorted(batch) for batch in counterpart.batches] == [["0", "0", "1", "1"]]

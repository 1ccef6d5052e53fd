"""What every adapter must bear of its counterpart, held by each through the same tests.

A subclass names a simulator, a way to ask it for one thing, and a way to count what it did:

    class TestAcme(AdapterConformance):
        def simulator(self): return Acme("acme")
        def asks(self, simulator, key): ...      # one unsafe call, as the adapter's performer makes it
        def looks_up(self, simulator, key): ...  # its `find`: an Answer, or None when they never had it
        def effects(self, simulator, key): ...   # how often the simulator has really done it
        secrets = ("the access token",)
"""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import pytest

from config.kernel.services.intents import Answer, AnswerKind
from integrations import connections
from integrations.sandbox.box import Simulator
from integrations.sandbox.panel import Failure

PATIENCE = 30
"""Tries after which an adapter must have come to an end."""


class AdapterConformance(ABC):
    """Inherited by one class per adapter; pytest collects the subclasses."""

    secrets: ClassVar[tuple[str, ...]] = ()
    """What no log may hold."""
    longest_seconds: ClassVar[float] = 3.0
    """Within which a call must end; the adapter under test is set up for less."""

    @abstractmethod
    def simulator(self) -> Simulator: ...

    @abstractmethod
    def asks(self, simulator: Simulator, key: str) -> Answer: ...

    @abstractmethod
    def looks_up(self, simulator: Simulator, key: str) -> Answer | None: ...

    @abstractmethod
    def effects(self, simulator: Simulator, key: str) -> int: ...

    @pytest.fixture
    def other(self) -> Iterator[Simulator]:
        with self.simulator().running() as made:
            yield made
        connections.forget()

    def settles(self, simulator: Simulator, key: str) -> Answer:
        """As an intent is carried out: asked, looked up while in doubt, asked again."""
        in_doubt = False
        for _ in range(PATIENCE):
            answer = (self.looks_up(simulator, key) if in_doubt else None) or self.asks(
                simulator, key
            )
            if answer.kind in {AnswerKind.DONE, AnswerKind.REFUSED}:
                return answer
            in_doubt = in_doubt or answer.kind is AnswerKind.UNKNOWN
            connections.forget()  # what a breaker has learnt is not what is tried here
        raise AssertionError(f"it came to no end: {answer}")

    def test_has_its_effect_once(self, other):
        assert self.asks(other, "one").kind is AnswerKind.DONE
        assert self.effects(other, "one") == 1

    def test_has_its_effect_once_however_often_it_is_asked(self, other):
        kinds = {self.asks(other, "one").kind for _ in range(3)}

        assert kinds == {AnswerKind.DONE}
        assert self.effects(other, "one") == 1

    def test_finds_what_was_done_and_nothing_else(self, other):
        self.asks(other, "one")
        found = self.looks_up(other, "one")

        assert found is not None
        assert found.kind is AnswerKind.DONE
        assert self.looks_up(other, "another") is None

    @pytest.mark.parametrize("kind", ["server_error", "silence"])
    def test_never_takes_an_error_for_a_refusal(self, other, kind):
        other.panel.set([Failure(kind)])

        assert self.asks(other, "one").kind is AnswerKind.UNKNOWN

    @pytest.mark.parametrize("kind", ["server_error", "silence"])
    def test_comes_to_one_effect_through_errors_before_and_after_it(self, other, kind):
        other.panel.set([Failure(kind, share=0.5)])
        keys = [f"key-{n}" for n in range(8)]

        answers = [self.settles(other, key) for key in keys]

        assert {answer.kind for answer in answers} == {AnswerKind.DONE}
        assert [self.effects(other, key) for key in keys] == [1] * len(keys)

    def test_comes_back_later_when_it_is_told_to(self, other):
        other.panel.set([Failure("rate_limit", seconds=7)])

        answer = self.asks(other, "one")

        assert answer.kind is AnswerKind.RETRY
        assert answer.after_seconds is not None
        assert 0 < answer.after_seconds <= 7
        assert self.effects(other, "one") == 0

    def test_does_not_wait_for_ever(self, other):
        other.panel.set([Failure("slow", seconds=self.longest_seconds + 1)])
        began = time.monotonic()

        answer = self.asks(other, "one")

        assert answer.kind is AnswerKind.UNKNOWN
        assert time.monotonic() - began < self.longest_seconds

    def test_knows_that_nothing_happened_when_nobody_listens(self):
        gone = self.simulator()
        with gone.running():
            gone._port = gone.port
        try:
            answer = self.asks(gone, "one")
        finally:
            connections.forget()

        assert answer.kind is AnswerKind.RETRY

    def test_keeps_secrets_out_of_the_log(self, other, caplog):
        with caplog.at_level(logging.DEBUG):
            self.asks(other, "one")
            other.panel.set([Failure("server_error")])
            self.asks(other, "two")

        assert [secret for secret in self.secrets if secret in caplog.text] == []

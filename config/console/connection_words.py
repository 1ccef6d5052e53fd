"""How a connection is, in a sentence: its state, its last news against what was expected. Pure."""

from datetime import datetime
from typing import Any

from config.console.words import sentence, since, span
from config.reports.sql import Row
from integrations.channels.selectors import ChannelHealth


def describe(health: ChannelHealth, now: datetime) -> tuple[str, str]:
    """(tone, words) of a channel."""
    return _describe(
        health.state, health.silent, health.expected_every, health.last_heard_at, health, now
    )


def describe_row(row: Row, now: datetime) -> tuple[str, str]:
    """(tone, words) of any other counterpart."""
    expected, heard = row["expected_every"], row["last_heard_at"] or row["changed_at"]
    silent = bool(expected) and (now - heard).total_seconds() > expected
    return _describe(row["state"], silent, expected, row["last_heard_at"], row, now)


def _describe(
    state: str,
    silent: bool,  # noqa: FBT001  # one of the facts
    expected: int | None,
    heard: datetime | None,
    facts: Any,
    now: datetime,
) -> tuple[str, str]:
    news = f"last news {since(heard, now)}" if heard else "nothing was heard yet"
    every = f", expected every {span(expected)}" if expected else ""
    if state == "paused":
        return "warn", sentence(f"paused: nothing is asked or sent; {news}")
    if silent:
        return "bad", sentence(f"silent: {news}{every}")
    if failing := _failing(facts):
        return "bad", sentence(f"calls fail: {failing}; {news}{every}")
    if state == "listening":
        return "info", sentence(f"listening: it takes in and sends nothing; {news}{every}")
    return "good", sentence(f"live; {news}{every}")


def _failing(facts: Any) -> str:
    """The failure, when the last call failed and none has been answered since."""
    read = facts.get if isinstance(facts, dict) else lambda name: getattr(facts, name)
    failed, answered = read("last_failed_at"), read("last_answered_at")
    if failed is None or (answered is not None and answered >= failed):
        return ""
    return str(read("failure") or "no answer")

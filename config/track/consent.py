"""The question that a buyer is asked about a delay, in their language, and their answer to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from config.kernel.errors import Conflict, NotFound
from config.kernel.types import Actor
from integrations.buyer.language import Words
from orders.selectors.promised import OpenQuestion
from orders.services import answer_consent
from orders.states import ConsentChoice, Silence
from orders.types import ConsentGiven

CHOICES: Final = (ConsentChoice.ACCEPT, ConsentChoice.CANCEL_LATE, ConsentChoice.CANCEL_ALL)


@dataclass(frozen=True, slots=True)
class Ask:
    """One open question as it is shown: what is asked, what silence means, what may be answered."""

    question_id: UUID
    text: str
    silence: str
    choices: tuple[tuple[str, str], ...]

    @property
    def shown(self) -> str:
        """All that the buyer has before them: kept with the answer."""
        offered = " / ".join(label for _, label in self.choices)
        return f"{self.text} {self.silence} [{offered}]"


def asks_of(
    questions: Sequence[OpenQuestion], words: Words, day: Callable[[datetime], str]
) -> tuple[Ask, ...]:
    """The questions put into words."""
    return tuple(_ask(question, words, day) for question in questions)


def _ask(question: OpenQuestion, words: Words, day: Callable[[datetime], str]) -> Ask:
    first = day(question.first_latest)
    if question.asked_latest is None:
        text = words.say("consent.asked_undated", first=first)
    else:
        text = words.say("consent.asked", first=first, new=day(question.asked_latest))
    silent = "silence_consent" if question.silence == Silence.CONSENT else "silence_cancel"
    accept = "accept" if question.asked_latest else "accept_undated"
    labels = (accept, ConsentChoice.CANCEL_LATE.value, ConsentChoice.CANCEL_ALL.value)
    return Ask(
        question.pk,
        text,
        words.say(f"consent.{silent}", until=day(question.until)),
        tuple(
            (choice.value, words.say(f"consent.{label}"))
            for choice, label in zip(CHOICES, labels, strict=True)
        ),
    )


def answer(
    asks: Sequence[Ask], question: str, choice: str, language: str, *, at: datetime, actor: Actor
) -> str:
    """Have the answer take effect; the key of what is said of it, empty where nothing was chosen.

    A question that is not asked any more, or was answered otherwise, is over.
    """
    ask = next((one for one in asks if str(one.question_id) == question), None)
    if ask is None:
        return "over"
    if choice not in {code for code, _ in ask.choices}:
        return ""
    given = ConsentGiven(ask.question_id, choice, "link", ask.shown, language)
    try:
        kept = answer_consent(given, at=at, actor=actor)
    except (Conflict, NotFound):
        return "over"
    if kept.choice == ConsentChoice.ACCEPT:
        return "thanks_accept"
    return "thanks_cancel" if kept.cancelled_units else "over"

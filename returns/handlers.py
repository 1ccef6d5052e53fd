"""Handlers of events: each calls one batch command."""

from collections.abc import Sequence

from config.kernel.events import Recorded
from config.kernel.types import Actor
from returns import services

BACK_CONSUMER = "returns.expect_sent_back"
BACK_TOPICS = ("parcel.returned",)
LOST_CONSUMER = "returns.open_claims"
LOST_TOPICS = ("parcel.lost",)
FOUND_CONSUMER = "returns.withdraw_claims"
FOUND_TOPICS = ("parcel.delivered", "parcel.moved", "parcel.returned")


def expect_sent_back(batch: Sequence[Recorded]) -> None:
    """What a carrier could not deliver comes back to the node that sent it."""
    services.expect_sent_back(
        sorted({event.subject_id for event in batch}),
        at=max(event.at for event in batch),
        actor=Actor.system(BACK_CONSUMER, causation_id=str(batch[-1].id)),
    )


def open_claims(batch: Sequence[Recorded]) -> None:
    """Somebody has to answer for what a carrier has lost."""
    services.open_claims(
        sorted({event.subject_id for event in batch}),
        kind="lost",
        at=max(event.at for event in batch),
        actor=Actor.system(LOST_CONSUMER, causation_id=str(batch[-1].id)),
    )


def withdraw_claims(batch: Sequence[Recorded]) -> None:
    """A lost parcel that turns up is claimed no longer."""
    services.withdraw_claims(
        sorted({event.subject_id for event in batch}),
        at=max(event.at for event in batch),
        actor=Actor.system(FOUND_CONSUMER, causation_id=str(batch[-1].id)),
    )

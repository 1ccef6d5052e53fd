"""What buyers were told, and what they chose."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orders.types.drafts import Address


@dataclass(frozen=True, slots=True)
class PromiseMove:
    """What a node has of a group leaves later than was promised: by then."""

    group_id: UUID
    ship_by: datetime


@dataclass(frozen=True, slots=True)
class Telling:
    """Somebody is shown the dates of this version: `buyer`, `channel` or `agent`, by what."""

    promise_id: UUID
    audience: str
    by: str
    message_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NewDates:
    """The dates that a group is promised from now on; neither may be earlier than what stands."""

    group_id: UUID
    ship_by: datetime
    deliver_latest: datetime


@dataclass(frozen=True, slots=True)
class ServiceWish:
    """What is unreleased of a group is to leave by this service level."""

    group_id: UUID
    service_code: str


@dataclass(frozen=True, slots=True)
class RemedyTold:
    """Something is done for a promise in danger. The cost is in minor units of the order's currency."""

    order_id: UUID
    group_id: UUID
    kind: str
    cost_minor: int
    automatic: bool


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """What a buyer says to a question: `accept`, `cancel_late` or `cancel_all`.

    `by` is `link` or `agent`; `text` are the words that they had before them, in `language`.
    """

    question_id: UUID
    choice: str
    by: str
    text: str
    language: str = "en"


@dataclass(frozen=True, slots=True)
class ChoiceGiven:
    """What is to become of a pickup that its store gave up: `collect`, `ship` or `cancel`.

    `by` is `link`, `agent` or `silence`. `node_id` is the other store; `address` is where it is sent,
    None for the address that the order names.
    """

    group_id: UUID
    choice: str
    by: str
    node_id: int | None = None
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class ChoiceMade:
    """What was chosen for a group, and about how many units."""

    group_id: UUID
    choice: str
    units: int

"""The remote port to payment providers: called by tasks with no transaction open, never by commands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from config.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class PaymentCall:
    """One request. `key` is the idempotency key sent along; the amount is in minor units."""

    key: str
    amount_minor: int
    currency: str
    authorization_reference: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PaymentAnswer:
    """How the provider answered. `unknown` means that the effect may or may not have happened.

    `retry` means that nothing happened and the same call may be sent again later.
    """

    status: Literal["done", "refused", "unknown", "retry"]
    reference: str = ""
    code: str = ""
    message: str = ""


class PaymentProvider(Protocol):
    """What orders needs of a payment provider. Each call is idempotent by its key."""

    def capture(self, call: PaymentCall) -> PaymentAnswer: ...

    def void(self, call: PaymentCall) -> PaymentAnswer: ...

    def refund(self, call: PaymentCall) -> PaymentAnswer: ...

    def find(self, key: str) -> PaymentAnswer | None:
        """What became of the call with this key; None when the provider never saw it."""


_factories: dict[str, Callable[[], PaymentProvider]] = {}


def register(code: str, factory: Callable[[], PaymentProvider]) -> None:
    if code in _factories:
        raise ValueError(f"the payment provider {code} is registered twice")
    _factories[code] = factory


def provider(code: str) -> PaymentProvider:
    """The provider of this code. Raises NotFound for a code that no adapter registered."""
    try:
        return _factories[code]()
    except KeyError:
        raise NotFound(f"There is no payment provider {code}.") from None

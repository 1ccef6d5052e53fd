"""The remote port to payment providers: called by tasks with no transaction open, never by commands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

NO_PROVIDER: Final = "no-provider"


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


def registered() -> list[str]:
    """The codes of the providers that are set up here."""
    return sorted(_factories)


def provider(code: str) -> PaymentProvider:
    """The provider of this code; for one that is not set up here, one that refuses everything."""
    factory = _factories.get(code)
    return _NotSetUp(code) if factory is None else factory()


@dataclass(frozen=True, slots=True)
class _NotSetUp:
    """Stands in for a provider that this installation does not have. Asked for money, it refuses.

    What may have happened before, while the provider was set up, it does not know.
    """

    code: str

    def capture(self, call: PaymentCall) -> PaymentAnswer:
        del call
        return self._refused()

    def void(self, call: PaymentCall) -> PaymentAnswer:
        del call
        return self._refused()

    def refund(self, call: PaymentCall) -> PaymentAnswer:
        del call
        return self._refused()

    def find(self, key: str) -> PaymentAnswer | None:
        del key
        return PaymentAnswer("unknown", code=NO_PROVIDER, message=self._said)

    @property
    def _said(self) -> str:
        name = f"“{self.code}”" if self.code else "without a name"
        return f"The payment provider {name} is not set up here."

    def _refused(self) -> PaymentAnswer:
        return PaymentAnswer("refused", code=NO_PROVIDER, message=self._said)

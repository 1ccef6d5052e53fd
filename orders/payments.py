"""The remote port to payment providers, and what they tell by themselves.

The port is called by tasks with no transaction open, never by commands. A provider is known by its
code, as tenders name it: an account's own, through the directory, else one set up for everybody.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Protocol
from uuid import UUID

NO_PROVIDER: Final = "no-provider"
NO_RENEWALS: Final = "no-renewals"
ENDED: Final = "authorization-ended"
"""The code of a refusal because the authorisation's term has passed, whatever the provider calls it."""


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

    `retry` means that nothing happened and the same call may be sent again later, best after so many
    seconds; without having been `asked` when nobody was called. A renewed authorisation lasts until
    `expires_at`.
    """

    status: Literal["done", "refused", "unknown", "retry"]
    reference: str = ""
    code: str = ""
    message: str = ""
    expires_at: datetime | None = None
    after_seconds: float | None = None
    asked: bool = True


class PaymentProvider(Protocol):
    """What orders needs of a payment provider. Each call is idempotent by its key."""

    def capture(self, call: PaymentCall) -> PaymentAnswer: ...

    def void(self, call: PaymentCall) -> PaymentAnswer: ...

    def refund(self, call: PaymentCall) -> PaymentAnswer: ...

    def renew(self, call: PaymentCall) -> PaymentAnswer:
        """Authorise what is left of an authorisation again, by the card on file and without its buyer.

        Before its term passes, or once it has (`ended` of the payload). The answer names what is
        captured from then on, which may be the same one.
        """

    def find(self, key: str) -> PaymentAnswer | None:
        """What became of the call with this key; None when the provider never saw it."""


class Directory(Protocol):
    """The providers that accounts have connected."""

    def provider(self, account_id: UUID, code: str) -> PaymentProvider | None: ...

    def codes(self) -> list[tuple[UUID, str]]:
        """(account, code) of those that are live."""


# --- what providers tell ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PaymentNews:
    """How a capture or refund of ours has ended, by the provider's own word and not by an answer."""

    account_id: UUID
    key: str
    """The key under which the provider was asked."""
    happened: bool
    amount_minor: int
    reference: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class LapsedAuthorization:
    """An authorisation that the provider has ended before we did, or as we did."""

    account_id: UUID
    provider: str
    reference: str


@dataclass(frozen=True, slots=True)
class NewDispute:
    """A buyer disputes a payment with their bank. The amount is in minor units."""

    account_id: UUID
    provider: str
    authorization_reference: str
    reference: str
    amount_minor: int
    opened_at: datetime
    reason: str = ""
    evidence_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DisputeVerdict:
    """How a bank has decided a dispute."""

    account_id: UUID
    provider: str
    reference: str
    won: bool


def read_key(key: str) -> tuple[str, UUID] | None:
    """The kind and id behind a key of ours, such as `payment.capture:…`; None for a foreign one."""
    kind, _, subject = key.partition(":")
    try:
        return (kind, UUID(subject)) if kind.startswith("payment.") else None
    except ValueError:
        return None


# --- who is there -------------------------------------------------------------------------------

_factories: dict[str, Callable[[], PaymentProvider]] = {}
_directories: list[Directory] = []


def register(code: str, factory: Callable[[], PaymentProvider]) -> None:
    """Set up a provider for every account that has connected none under this code."""
    if code in _factories:
        raise ValueError(f"the payment provider {code} is registered twice")
    _factories[code] = factory


def register_directory(directory: Directory) -> None:
    """Say who knows the providers of accounts; once."""
    if _directories:
        raise ValueError("there is a directory of payment providers already")
    _directories.append(directory)


def registered() -> list[str]:
    """The codes of the providers that are set up here for everybody."""
    return sorted(_factories)


def connected() -> list[tuple[UUID, str]]:
    """(account, code) of the providers that accounts have connected, and that are live."""
    return [known for directory in _directories for known in directory.codes()]


def provider(code: str, account_id: UUID | None = None) -> PaymentProvider:
    """The provider of this code; for one that is not set up here, one that refuses everything."""
    if account_id is not None:
        for directory in _directories:
            if (own := directory.provider(account_id, code)) is not None:
                return own
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

    def renew(self, call: PaymentCall) -> PaymentAnswer:
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

"""What an account does when a promise cannot be kept: when it asks, what silence means, what it pays."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from config.kernel.errors import Invalid
from config.kernel.models import Account

SETTING: Final = "promises"
"""The name under which an account's settings hold it."""
AUTOMATIC: Final = ("split", "reroute", "upgrade")
"""What may be done without a person, within the limits. Asking and cancelling never are."""
LEVELS: Final = ("low", "medium", "high", "certain")


@dataclass(frozen=True, slots=True)
class PromisePolicy:
    """Days are whole days; amounts are minor units of the order's own currency.

    The defaults follow 16 CFR 435: of a first delay of at most 30 days silence is consent; of a
    longer one, of a second one, and where no date is known, silence cancels.
    """

    ask: bool = True
    silence_days: int = 30
    answer_days: int = 7
    cancel_on_silence: bool = True
    report_from: str = "high"
    automatic: tuple[str, ...] = ()
    most_per_order_minor: int = 0
    most_per_day_minor: int = 0

    @property
    def silence_within(self) -> timedelta:
        return timedelta(days=self.silence_days)

    @property
    def answer_within(self) -> timedelta:
        return timedelta(days=self.answer_days)


DEFAULT: Final = PromisePolicy()


def policy_from(settings: Mapping[str, Any]) -> PromisePolicy:
    """The policy that an account's settings hold; the default for what they do not say."""
    said = settings.get(SETTING) or {}
    known = {one.name for one in fields(PromisePolicy)}
    values = {name: value for name, value in said.items() if name in known}
    if "automatic" in values:
        values["automatic"] = tuple(values["automatic"])
    return PromisePolicy(**values)


def policies_of(account_ids: "set[UUID] | frozenset[UUID]") -> dict[UUID, PromisePolicy]:
    """The policy of each account. One statement."""
    rows = Account.objects.filter(pk__in=account_ids).values_list("pk", "settings")
    return {pk: policy_from(settings) for pk, settings in rows}


def require_sane(policy: PromisePolicy) -> None:
    """Raise Invalid, naming every field that means nothing."""
    wrong = []
    for name, least, most in (
        ("silence_days", 0, 30),
        ("answer_days", 1, 60),
        ("most_per_order_minor", 0, 10**9),
        ("most_per_day_minor", 0, 10**9),
    ):
        if not least <= getattr(policy, name) <= most:
            wrong.append((name, f"Between {least:,} and {most:,}."))
    if policy.report_from not in LEVELS:
        wrong.append(("report_from", f"One of {', '.join(LEVELS)}."))
    if unknown := set(policy.automatic) - set(AUTOMATIC):
        wrong.append(("automatic", f"Not {', '.join(sorted(unknown))}: that needs a person."))
    if wrong:
        raise Invalid(
            "The policy is not sensible.",
            errors=[
                {"pointer": f"/{name}", "code": "invalid", "detail": detail}
                for name, detail in wrong
            ],
        )

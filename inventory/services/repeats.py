"""What a source tells twice happens once: keys claimed, first answers found again."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar
from uuid import UUID

from config.kernel import external_keys, ids
from config.kernel.types import ALL_ACCOUNTS, Outcome, OutcomeKind
from inventory.models import Movement
from inventory.types import ChangeAnswer

_SCOPE: Final = "stock"


class Told(Protocol):
    """A change with the name that its source gave it; an empty name is never a repeat."""

    @property
    def account_id(self) -> UUID: ...
    @property
    def source(self) -> str: ...
    @property
    def external_id(self) -> str: ...


T = TypeVar("T", bound=Told)
Apply = Callable[[Sequence[T]], list[Outcome[ChangeAnswer]]]


def each_once(
    changes: Sequence[T], refusals: Sequence[Outcome[ChangeAnswer] | None], apply: Apply[T]
) -> list[Outcome[ChangeAnswer]]:
    """Apply what is neither refused nor a repeat, in one call; one outcome per change, in order.

    A repeat has the first's answer (none, when its month has left the ledger). What `apply` refuses
    has not happened and may be sent again. Claims keys first: nothing is locked yet.
    """
    known = [index for index, refusal in enumerate(refusals) if refusal is None]
    claims = {
        index: external_keys.Claim(changes[index].source, _key(changes[index]), ids.uuid7())
        for index in known
        if changes[index].external_id
    }
    owners = external_keys.claim(_SCOPE, list(claims.values()))
    repeated = {
        index
        for (index, claim), owner in zip(claims.items(), owners, strict=True)
        if owner is not claim.subject_id and owner != claim.subject_id
    }
    fresh = [index for index in known if index not in repeated]
    done = dict(zip(fresh, apply([changes[index] for index in fresh]), strict=True))
    refused = [index for index in fresh if not done[index].ok]
    external_keys.give_up(_SCOPE, [claims[index] for index in refused if index in claims])
    again = _first_answers([changes[index] for index in sorted(repeated)])
    return [
        refusal
        or done.get(index)
        or Outcome(OutcomeKind.REPEATED, again.get(_name(changes[index])))
        for index, refusal in enumerate(refusals)
    ]


def _key(change: Told) -> str:
    # Two accounts may number their messages alike.
    return f"{change.account_id.hex}:{change.external_id}"


def _name(change: Told) -> tuple[UUID, str, str]:
    return change.account_id, change.source, change.external_id


def _first_answers(repeats: Sequence[Told]) -> dict[tuple[UUID, str, str], ChangeAnswer]:
    """What the first of each repeat was answered, from the ledger. One statement."""
    if not repeats:
        return {}
    found = (
        Movement.objects.for_scope(ALL_ACCOUNTS)
        .filter(
            account_id__in={change.account_id for change in repeats},
            source__in={change.source for change in repeats},
            external_id__in={change.external_id for change in repeats},
        )
        .order_by("-id")
        .values_list("account_id", "source", "external_id", "id", "position_id", "balance")
    )
    return {row[:3]: ChangeAnswer(*row[3:]) for row in found}

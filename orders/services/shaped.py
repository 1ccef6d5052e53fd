"""A draft as judged and the rows it becomes: what the steps of capture hand on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db.models import TextChoices

from orders.states import (
    CollectedBy,
    DocumentKind,
    FulfilledBy,
    LineKind,
    Method,
    Mode,
    Relation,
    values_of,
)
from orders.types import LineDraft, OrderDraft, Party
from orders.validators.finding import Finding, KnownSku

Row = dict[str, Any]


MOST_STORED = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Routes:
    """Ids of the nodes and service levels that drafts name by code."""

    nodes: Mapping[str, int]
    services: Mapping[str, int]


@dataclass(slots=True)
class Shaped:
    """The rows of one order, before anything is written."""

    draft: OrderDraft
    order: Row
    customer: Row | None = None
    keys: list[Row] = field(default_factory=list)
    contacts: list[Row] = field(default_factory=list)
    groups: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    holds: list[Row] = field(default_factory=list)
    tenders: list[Row] = field(default_factory=list)
    authorizations: list[Row] = field(default_factory=list)
    notes: list[Row] = field(default_factory=list)
    warnings: tuple[str, ...] = ()

    @property
    def id(self) -> UUID:
        order_id: UUID = self.order["id"]
        return order_id


@dataclass(frozen=True, slots=True)
class Judged:
    """A draft with everything found about it. `currency` is its own, or the channel's."""

    draft: OrderDraft
    findings: Sequence[Finding]
    skus: Mapping[str, KnownSku]
    components: Mapping[int, KnownSku]
    routes: Routes
    lookalike_hash: str
    currency: str
    cart_hold_id: UUID | None = None


def tamed(draft: OrderDraft) -> OrderDraft:
    """The draft with every value that a column would refuse replaced by the ordinary one.

    Only what is sold already comes here with such values, held, its reasons naming each.
    """
    if _is_tame(draft):
        return draft
    return replace(
        draft,
        document_kind=_known(draft.document_kind, DocumentKind, DocumentKind.SALE),
        mode=_known(draft.mode, Mode, Mode.LIVE),
        groups=tuple(
            replace(
                group,
                method=_known(group.method, Method, Method.SHIP),
                fulfilled_by=_known(group.fulfilled_by, FulfilledBy, FulfilledBy.US),
                lines=tuple(_tamed_line(line) for line in group.lines),
            )
            for group in draft.groups
        ),
        tenders=tuple(
            replace(
                tender,
                collected_by=_known(tender.collected_by, CollectedBy, CollectedBy.CHANNEL),
                amount_minor=max(tender.amount_minor, 0),
                captured_minor=min(max(tender.captured_minor, 0), max(tender.amount_minor, 0)),
            )
            for tender in draft.tenders
        ),
    )


def _is_tame(draft: OrderDraft) -> bool:
    """Whether there is nothing to replace, as in nearly every order."""
    return (
        draft.document_kind in values_of(DocumentKind)
        and draft.mode in values_of(Mode)
        and all(
            group.method in values_of(Method)
            and group.fulfilled_by in values_of(FulfilledBy)
            and all(
                (line.kind is None or line.kind in values_of(LineKind))
                and (not line.relation or line.relation in values_of(Relation))
                for line in group.lines
            )
            for group in draft.groups
        )
        and all(
            tender.collected_by in values_of(CollectedBy)
            and 0 <= tender.captured_minor <= tender.amount_minor
            for tender in draft.tenders
        )
    )


def _tamed_line(line: LineDraft) -> LineDraft:
    kind = line.kind if line.kind in values_of(LineKind) else None
    return replace(line, kind=kind, relation=_known(line.relation, Relation, ""))


def _known(value: str, choices: type[TextChoices], ordinary: str) -> str:
    return value if value in values_of(choices) else str(ordinary)


def needs_key(draft: OrderDraft) -> bool:
    """Whether the draft brings anything that must be sealed."""
    return (
        draft.customer != Party()
        or bool(draft.note)
        or any(group.address or group.gift_message for group in draft.groups)
    )

"""Lines, quantities and SKUs."""

from collections.abc import Iterator

from django.db.models import TextChoices

from orders.states import (
    DocumentKind,
    FulfilledBy,
    LineKind,
    Method,
    Mode,
    Relation,
    values_of,
)
from orders.types import PAYMENT_PENDING, OrderDraft
from orders.validators.finding import Finding, Known, Severity

MOST_UNITS = 100_000
MOST_LINES = 1_000


def check_lines(draft: OrderDraft, known: Known) -> list[Finding]:
    """There is something to send, in numbers that can be sent, and every name is known."""
    found = _check_names(draft)
    lines = [
        (group_at, line_at, line)
        for group_at, group in enumerate(draft.groups)
        for line_at, line in enumerate(group.lines)
    ]
    if not lines:
        found.append(Finding(Severity.REJECT, "no-lines", "The order has no lines.", "/groups"))
    if len(lines) > MOST_LINES:
        found.append(
            Finding(
                Severity.REJECT,
                "too-many-lines",
                f"The order has {len(lines)} lines; at most {MOST_LINES} are taken.",
                "/groups",
            )
        )
    seen: set[str] = set()
    names = {line.external_id for _, _, line in lines}
    for group_at, line_at, line in lines:
        pointer = f"/groups/{group_at}/lines/{line_at}"
        if not 1 <= line.quantity <= MOST_UNITS:
            found.append(
                Finding(
                    Severity.REJECT,
                    "quantity",
                    f"{line.sku_code or line.title} is ordered {line.quantity} times; "
                    f"a quantity is between 1 and {MOST_UNITS:,}.",
                    f"{pointer}/quantity",
                    group=group_at,
                    line=line_at,
                )
            )
        if line.external_id and line.external_id in seen:
            found.append(
                Finding(
                    Severity.REJECT,
                    "line-twice",
                    f"Two lines carry the id {line.external_id}.",
                    f"{pointer}/external_id",
                )
            )
        seen.add(line.external_id)
        if line.parent_external_id is not None and (
            line.parent_external_id not in names or line.parent_external_id == line.external_id
        ):
            found.append(
                Finding(
                    Severity.REJECT,
                    "parent-unknown",
                    f"{line.sku_code or line.title} belongs to line {line.parent_external_id}, "
                    "which the order does not have.",
                    f"{pointer}/parent_external_id",
                )
            )
    return found


def _check_names(draft: OrderDraft) -> list[Finding]:
    return [
        Finding(
            Severity.REJECT,
            "unknown-value",
            f"“{value}” is not known here; possible are {', '.join(values_of(choices))}.",
            "".join(f"/{step}" for step in path),
        )
        for value, choices, path in _names(draft)
        if value not in values_of(choices)
    ]


def _names(draft: OrderDraft) -> Iterator[tuple[str, type[TextChoices], tuple[str | int, ...]]]:
    """Each value of a vocabulary that the draft names, with its place."""
    yield draft.document_kind, DocumentKind, ("document_kind",)
    yield draft.mode, Mode, ("mode",)
    for group_at, group in enumerate(draft.groups):
        yield group.method, Method, ("groups", group_at, "method")
        yield group.fulfilled_by, FulfilledBy, ("groups", group_at, "fulfilled_by")
        for line_at, line in enumerate(group.lines):
            at = ("groups", group_at, "lines", line_at)
            if line.relation:
                yield line.relation, Relation, (*at, "relation")
            if line.kind is not None:
                yield line.kind, LineKind, (*at, "kind")


def check_skus(draft: OrderDraft, known: Known) -> list[Finding]:
    """Every line of goods is mapped to a SKU, and every node and service named exists."""
    found = []
    for group_at, group in enumerate(draft.groups):
        for line_at, line in enumerate(group.lines):
            sku = known.skus.get(line.sku_code)
            pointer = f"/groups/{group_at}/lines/{line_at}/sku_code"
            if sku is None and line.kind in {None, LineKind.STOCK, LineKind.KIT}:
                if draft.mode == Mode.HISTORY:
                    continue
                found.append(
                    Finding(
                        Severity.HOLD,
                        "sku-unmapped",
                        f"The channel sold “{line.sku_code or line.title}”, which is not mapped "
                        "to a SKU. Map it once and every order waiting for it goes on.",
                        pointer,
                        "unmapped",
                        group_at,
                        line_at,
                    )
                )
            elif sku is not None and not sku.active:
                found.append(
                    Finding(
                        Severity.WARN,
                        "sku-inactive",
                        f"{sku.code} is no longer active; it is sent while stock lasts.",
                        pointer,
                    )
                )
        found += _check_route(group_at, group.pickup_node_code, group.service_level_code, known)
    return found


def _check_route(
    group_at: int, node_code: str | None, service_code: str | None, known: Known
) -> list[Finding]:
    found = []
    if node_code and node_code not in known.node_codes:
        found.append(
            Finding(
                Severity.HOLD,
                "pickup-node-unknown",
                f"The buyer wants to pick up at “{node_code}”, which is not a node.",
                f"/groups/{group_at}/pickup_node_code",
                "destination",
                group_at,
            )
        )
    if service_code and service_code not in known.service_codes:
        found.append(
            Finding(
                Severity.HOLD,
                "service-unknown",
                f"The service “{service_code}” is not known; the standard service is planned "
                "until someone decides.",
                f"/groups/{group_at}/service_level_code",
                "review",
                group_at,
            )
        )
    return found


def check_translation(draft: OrderDraft, known: Known) -> list[Finding]:
    """What the translator could not read is looked at by a person; an unpaid order is not sent."""
    return [
        Finding(
            Severity.HOLD,
            problem.code,
            problem.detail,
            problem.pointer,
            "payment" if problem.code == PAYMENT_PENDING else "review",
        )
        for problem in draft.problems
    ]

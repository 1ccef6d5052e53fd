"""What a batch of drafts names, read once: channels, SKUs, nodes, and orders that look the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from config.kernel.models import Channel
from config.kernel.types import ALL_ACCOUNTS
from inventory import selectors as inventory
from inventory.types import CartHoldView, SkuView
from orders.models import Order
from orders.services.capture_people import lookalike_hash_of
from orders.services.shaped import Routes
from orders.states import DocumentKind, LineKind, Mode, OrderState, values_of
from orders.types import OrderDraft
from orders.validators.finding import KnownSku, Lookalike

DUPLICATE_MINUTES = 60


Key = tuple[UUID, str, str]


@dataclass(slots=True)
class Surroundings:
    """What the database knows about the things that a batch of drafts names."""

    channels: dict[UUID, Channel]
    skus: dict[UUID, dict[str, KnownSku]]
    components: dict[int, KnownSku]
    routes: Routes
    hashes: list[str]
    lookalikes: dict[str, list[tuple[Key, Lookalike]]] = field(default_factory=dict)
    carts: Mapping[tuple[UUID, str], CartHoldView] = field(default_factory=dict)

    def look_alike(self) -> bool:
        """Whether drafts of the batch look like one another."""
        hashes = [value for value in self.hashes if value]
        return len(set(hashes)) < len(hashes)


def key_of(draft: OrderDraft) -> Key:
    """What makes the order one; a document kind nobody knows counts as a sale."""
    kind = draft.document_kind
    known = kind in values_of(DocumentKind)
    return draft.channel_id, kind if known else DocumentKind.SALE.value, draft.external_id


def surroundings(drafts: Sequence[OrderDraft], at: datetime) -> Surroundings:
    """Everything the drafts name, in a number of statements that does not depend on how many."""
    channels = Channel.objects.for_scope(ALL_ACCOUNTS).in_bulk(
        list({draft.channel_id for draft in drafts})
    )
    codes: dict[tuple[UUID, UUID], set[str]] = {}
    for draft in drafts:
        named = {line.sku_code for group in draft.groups for line in group.lines}
        codes.setdefault((draft.account_id, draft.channel_id), set()).update(named - {""})
    skus = {
        channel_id: {
            code: known_sku(view)
            for code, view in inventory.skus_by_code(account_id, channel_id, sorted(named)).items()
        }
        for (account_id, channel_id), named in codes.items()
        if named
    }
    parts = {
        part_id
        for by_code in skus.values()
        for sku in by_code.values()
        if sku.kind == LineKind.KIT
        for part_id, _ in sku.components
    }
    components = (
        {view.id: known_sku(view) for view in inventory.skus(sorted(parts)).values()}
        if parts
        else {}
    )
    hashes = [lookalike_hash_of(draft) if _may_repeat(draft) else "" for draft in drafts]
    known = Surroundings(channels, skus, components, _routes(drafts), hashes)
    if carts := {(draft.channel_id, draft.cart) for draft in drafts if draft.cart}:
        known.carts = inventory.latest_holds(carts)
    _find_lookalikes(known, drafts, at)
    return known


def _may_repeat(draft: OrderDraft) -> bool:
    """Whether it may be another order sent twice: what follows from an order looks like it."""
    return draft.mode == Mode.LIVE and draft.document_kind not in {
        DocumentKind.EXCHANGE,
        DocumentKind.RESHIP,
    }


def known_sku(view: SkuView) -> KnownSku:
    return KnownSku(
        view.id,
        view.code,
        view.name,
        view.kind,
        view.weight_grams,
        view.price_minor,
        view.active,
        view.components,
    )


def _routes(drafts: Sequence[OrderDraft]) -> Routes:
    """Nodes and services by code; nothing is read when nobody names one."""
    groups = [(draft, group) for draft in drafts for group in draft.groups]
    nodes: dict[str, int] = {}
    for account_id in {draft.account_id for draft, group in groups if group.pickup_node_code}:
        nodes |= {node.code: node.id for node in inventory.network(account_id)}
    services: Mapping[str, int] = {}
    if any(group.service_level_code for _, group in groups):
        services = inventory.service_level_ids()
    return Routes(nodes, services)


def _find_lookalikes(known: Surroundings, drafts: Sequence[OrderDraft], at: datetime) -> None:
    hashes = sorted({value for value in known.hashes if value})
    if not hashes:
        return
    earliest = min(draft.placed_at for draft in drafts) - max(
        _window(channel) for channel in known.channels.values()
    )
    rows = (
        Order.objects.for_scope(ALL_ACCOUNTS)
        .filter(lookalike_hash__in=hashes, placed_at__gte=earliest)
        .exclude(state=OrderState.CANCELLED)
        .order_by("placed_at")
        .values_list(
            "lookalike_hash", "channel_id", "document_kind", "external_id", "number", "placed_at"
        )
    )
    for value, channel_id, kind, external_id, number, placed_at in rows:
        known.lookalikes.setdefault(value, []).append(
            ((channel_id, kind, external_id), Lookalike(number, placed_at))
        )


def _window(channel: Channel) -> timedelta:
    return timedelta(minutes=channel.settings.get("duplicate_minutes", DUPLICATE_MINUTES))


def lookalike_of(draft: OrderDraft, value: str, known: Surroundings) -> Lookalike | None:
    """An order with the same hash, placed within the channel's window, that is not this one."""
    if not value:
        return None
    window = _window(known.channels[draft.channel_id])
    for key, lookalike in known.lookalikes.get(value, []):
        if key != key_of(draft) and abs(draft.placed_at - lookalike.placed_at) <= window:
            return lookalike
    return None

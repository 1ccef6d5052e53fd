"""Units held for a cart: until a time, extended only when asked, and only so often.

A line is held whole or refused. Units come from where most are free, within what the channel may
sell; the order that the cart becomes is planned anew.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from config.kernel import ids
from config.kernel.errors import Busy, Conflict, Invalid, NotFound
from config.kernel.models import Channel
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory import quotas
from inventory.models import CartHold, Reservation
from inventory.selectors.availability import Parts, ats, parts_of
from inventory.selectors.holds import Shelf, cart_hold, shelves
from inventory.services.reservations import release
from inventory.services.take import hold, lock_positions
from inventory.states import ReservationState
from inventory.types import CartDraft, CartHeld, CartLineHeld, Portion, TakeResult, Want

MINUTES: Final = 10
"""How long a cart is held at most, where no setting `hold_minutes` says otherwise."""

EXTENSIONS: Final = 3
"""How often a hold is extended at most, where no setting `hold_extensions` says otherwise."""


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a channel lets its carts do: its own setting, else its account's, else ours."""

    account_id: UUID
    minutes: int
    extensions: int


@transaction.atomic
def hold_cart(draft: CartDraft, *, at: datetime, actor: Actor) -> CartHeld:
    """Hold what a cart wants, each line whole or not at all; a cart's earlier hold is replaced.

    What replaces a hold ends when that would have ended. Raises NotFound for a channel out of
    reach, Invalid for lines or minutes that cannot be.
    """
    terms = _terms_of(draft.channel_id, actor)
    _require_sense(draft, terms)
    row, fresh = _opened(draft, terms, at=at)
    known = _shelves(draft, terms, at)
    if not fresh:
        known = _taken_off(row, draft, terms, known, at=at, actor=actor)
    wants, lines = _Choice(draft, terms, row.pk, known, at).made()
    result = hold([want for _, want in wants], until=row.expires_at, at=at, actor=actor)
    answers = _without_torn(lines, wants, result, at=at, actor=actor)
    if any(line.held for line in answers):
        row.save()
        return _answer(row, terms, answers)
    if fresh:
        row.delete()
    else:
        _close(row, "released", at=at)
    return CartHeld(draft.cart, None, 0, answers)


@transaction.atomic
def extend_cart(channel_id: UUID, cart: str, *, at: datetime, actor: Actor) -> CartHeld:
    """Hold a cart as long again, from now. Raises Conflict once it has expired or had its turns."""
    terms = _terms_of(channel_id, actor)
    row = _locked(channel_id, cart)
    if row.extended >= terms.extensions:
        raise Conflict(f"The cart was extended {row.extended} times: that is all it may be.")
    claims = list(
        Reservation.objects.for_scope(ALL_ACCOUNTS)
        .filter(thread_id=row.pk)
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    lapsed = any(claim.state == ReservationState.EXPIRED for claim in claims)
    if row.expires_at <= at or lapsed:
        raise Conflict("The hold has expired: hold the cart anew.")
    row.extended += 1
    row.expires_at = at + timedelta(minutes=row.minutes)
    row.save(update_fields=["extended", "expires_at"])
    Reservation.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=[claim.pk for claim in claims], state=ReservationState.HELD
    ).update(expires_at=row.expires_at)
    return _answer(row, terms, ())


@transaction.atomic
def release_cart(channel_id: UUID, cart: str, *, at: datetime, actor: Actor) -> None:
    """The buyer left, or the cart became an order: its units are free again."""
    _terms_of(channel_id, actor)
    row = _locked(channel_id, cart)
    _give_back(row, (), "cart_released", at=at, actor=actor)
    _close(row, "released", at=at)


@transaction.atomic
def end_holds(limit: int, *, at: datetime, actor: Actor) -> int:
    """Close holds whose time is over and whose units `expire_held` has given back; how many."""
    del actor
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH due AS (
                SELECT hold.id FROM inventory_carthold hold
                WHERE hold.closed_at IS NULL AND hold.expires_at <= %(at)s
                  AND NOT EXISTS (SELECT FROM inventory_reservation r
                    WHERE r.thread_id = hold.id AND r.state = 'held')
                ORDER BY hold.id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            )
            UPDATE inventory_carthold hold SET closed_at = %(at)s, close_reason = 'expired'
            FROM due WHERE hold.id = due.id
            """,
            {"at": at, "limit": limit},
        )
        return int(cursor.rowcount)


class _Choice:
    """Where each line's units come from, chosen in memory: where most are free, first."""

    def __init__(
        self,
        draft: CartDraft,
        terms: _Terms,
        thread_id: UUID,
        known: Iterable[Shelf],
        at: datetime,
    ) -> None:
        """Reads the limits of all lines at once: as many statements for one as for hundreds."""
        self._draft, self._terms, self._thread_id = draft, terms, thread_id
        skus = {sku_id for sku_id, _ in draft.lines}
        self._parts = parts_of(skus)
        self._free: dict[int, dict[int, int]] = defaultdict(dict)
        self._shelves: dict[tuple[int, int], Shelf] = {}
        for shelf in known:
            self._free[shelf.sku_id][shelf.position_id] = shelf.free
            self._shelves[shelf.sku_id, shelf.node_id] = shelf
        live = quotas.live_quotas(_with_parts(skus, self._parts))
        self._quotas = quotas.Allotment(quotas.kept(live, at))
        self._most = ats(draft.channel_id, skus, at=at) if draft.node_id is None else {}

    def made(self) -> tuple[list[tuple[UUID, Want]], list[tuple[UUID, CartLineHeld]]]:
        """Each line's wants and answer under the line's demand, the lines in the order given."""
        wants: list[tuple[UUID, Want]] = []
        lines = []
        for sku_id, quantity in self._draft.lines:
            demand_id = ids.uuid7()
            free, chosen = self._of_line(sku_id, quantity, demand_id)
            wants += [(demand_id, want) for want in chosen]
            lines.append((demand_id, CartLineHeld(sku_id, quantity, bool(chosen), free)))
        return wants, lines

    def _of_line(self, sku_id: int, quantity: int, demand_id: UUID) -> tuple[int, list[Want]]:
        parts = self._parts.get(sku_id) or [(sku_id, 1)]
        nodes = self._makeable(parts)
        free = sum(nodes.values())
        if self._draft.node_id is None:
            free = min(free, max(0, self._most.get(sku_id, 0)))
        if free < quantity:
            return free, []
        wants, left = [], quantity
        for node_id, units in sorted(nodes.items(), key=lambda each: (-each[1], each[0])):
            if part := min(left, units):
                wants += [
                    self._want(self._shelves[part_id, node_id], part * each, demand_id)
                    for part_id, each in parts
                ]
                left -= part
        if sku_id in self._most:
            self._most[sku_id] -= quantity
        return free, wants

    def _makeable(self, parts: Sequence[tuple[int, int]]) -> dict[int, int]:
        """Units that each node could give of a SKU or kit; a kit is of one node."""
        offers = {
            part_id: self._quotas.offered(self._draft.channel_id, part_id, self._free[part_id])
            for part_id, _ in parts
        }
        nodes = {node_id for part_id, node_id in self._shelves if part_id == parts[0][0]}
        return {
            node_id: min(
                offers[part_id].get(self._shelves[part_id, node_id].position_id, 0) // each
                if (part_id, node_id) in self._shelves
                else 0
                for part_id, each in parts
            )
            for node_id in nodes
        }

    def _want(self, shelf: Shelf, units: int, demand_id: UUID) -> Want:
        channel_id = self._draft.channel_id
        self._quotas.take(channel_id, shelf.sku_id, shelf.position_id, units, units)
        self._free[shelf.sku_id][shelf.position_id] -= units
        return Want(
            position_id=shelf.position_id,
            sku_id=shelf.sku_id,
            node_id=shelf.node_id,
            quantity=units,
            demand_id=demand_id,
            thread_id=self._thread_id,
            account_id=self._terms.account_id,
            channel_id=channel_id,
        )


def _opened(draft: CartDraft, terms: _Terms, *, at: datetime) -> tuple[CartHold, bool]:
    """The cart's open hold, locked, and whether it is new. Another's insert is waited for."""
    minutes = draft.minutes or terms.minutes
    mine = CartHold(
        account_id=terms.account_id,
        channel_id=draft.channel_id,
        cart=draft.cart,
        minutes=minutes,
        expires_at=at + timedelta(minutes=minutes),
        at=at,
    )
    CartHold.objects.bulk_create([mine], ignore_conflicts=True)
    row = _locked(draft.channel_id, draft.cart)
    return row, row.pk == mine.pk


def _taken_off(
    row: CartHold,
    draft: CartDraft,
    terms: _Terms,
    known: Sequence[Shelf],
    *,
    at: datetime,
    actor: Actor,
) -> list[Shelf]:
    """Give back what the cart held; what is free then, of the positions that are locked for it."""
    wanted = {shelf.position_id for shelf in known}
    _give_back(row, wanted, "cart_changed", at=at, actor=actor)
    if row.expires_at <= at:
        row.minutes, row.extended, row.at = draft.minutes or terms.minutes, 0, at
        row.expires_at = at + timedelta(minutes=row.minutes)
    return [shelf for shelf in _shelves(draft, terms, at) if shelf.position_id in wanted]


def _give_back(
    row: CartHold, position_ids: Collection[int], reason: str, *, at: datetime, actor: Actor
) -> None:
    """Give back what the cart holds, with these positions locked besides.

    What it holds is read again under the locks: the sweeper may have been quicker.
    """
    lock_positions(position_ids, [portion.reservation_id for portion in _held_by(row)])
    if held := _held_by(row):
        release(held, reason, at=at, actor=actor)


def _shelves(draft: CartDraft, terms: _Terms, at: datetime) -> list[Shelf]:
    """Where units of the lines lie, of kits their components. Two statements and the network."""
    skus = {sku_id for sku_id, _ in draft.lines}
    return shelves(
        terms.account_id,
        draft.channel_id,
        _with_parts(skus, parts_of(skus)),
        node_id=draft.node_id,
        at=at,
    )


def _with_parts(sku_ids: set[int], parts: Parts) -> set[int]:
    return sku_ids | {part_id for known in parts.values() for part_id, _ in known}


def _without_torn(
    lines: Sequence[tuple[UUID, CartLineHeld]],
    wants: Sequence[tuple[UUID, Want]],
    result: TakeResult,
    *,
    at: datetime,
    actor: Actor,
) -> tuple[CartLineHeld, ...]:
    """The answers, now that others may have been quicker: of a torn line nothing stays held."""
    torn = {want.demand_id for want in result.lost}
    had: Counter[UUID] = Counter()
    portions = []
    for one in result.taken:
        if one.want.demand_id in torn:
            portions.append(Portion(one.reservation_id, one.want.quantity))
            had[one.want.demand_id] += one.want.quantity
    if portions:
        release(portions, "cart_refused", at=at, actor=actor)
    meant = {demand_id: line.sku_id for demand_id, line in lines}
    kits = {demand_id for demand_id, want in wants if want.sku_id != meant[demand_id]}
    return tuple(
        CartLineHeld(
            line.sku_id, line.quantity, held=False, free=0 if demand_id in kits else had[demand_id]
        )
        if demand_id in torn
        else line
        for demand_id, line in lines
    )


def _held_by(row: CartHold) -> list[Portion]:
    found = Reservation.objects.for_scope(ALL_ACCOUNTS).filter(
        thread_id=row.pk, state=ReservationState.HELD
    )
    return [Portion(claim.pk, claim.open) for claim in found.order_by("pk")]


def _locked(channel_id: UUID, cart: str) -> CartHold:
    known = cart_hold(channel_id, cart)
    if known is None:
        raise NotFound("Nothing is held for this cart.")
    row: CartHold = CartHold.objects.for_scope(ALL_ACCOUNTS).locked([known.pk]).get()
    if row.closed_at is not None:
        raise Busy("The cart's hold has just ended.")
    return row


def _close(row: CartHold, reason: str, *, at: datetime) -> None:
    row.closed_at, row.close_reason = at, reason
    row.save(update_fields=["closed_at", "close_reason"])


def _answer(row: CartHold, terms: _Terms, lines: tuple[CartLineHeld, ...]) -> CartHeld:
    return CartHeld(row.cart, row.expires_at, max(0, terms.extensions - row.extended), lines)


def _terms_of(channel_id: UUID, actor: Actor) -> _Terms:
    channel: Channel | None = (
        Channel.objects.for_scope(actor.scope)
        .select_related("account")
        .filter(pk=channel_id)
        .first()
    )
    if channel is None:
        raise NotFound("There is no such channel.")
    known: Mapping[str, int] = {**channel.account.settings, **channel.settings}
    return _Terms(
        channel.account_id,
        int(known.get("hold_minutes", MINUTES)),
        int(known.get("hold_extensions", EXTENSIONS)),
    )


def _require_sense(draft: CartDraft, terms: _Terms) -> None:
    if not draft.lines or any(units <= 0 for _, units in draft.lines):
        raise Invalid("A cart has lines of at least one unit each.")
    if draft.minutes is not None and not 0 < draft.minutes <= terms.minutes:
        raise Invalid(
            f"A cart of this channel is held for {terms.minutes} minutes at most.",
            errors=[{"pointer": "/minutes", "code": "too-long", "detail": "Too long."}],
        )

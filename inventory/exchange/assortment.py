"""What kits hold, what may go out instead of what, and channels' own codes, as files."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from config.kernel.access import Permission
from config.kernel.models import Channel
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory import services
from inventory.exchange.cells import Choice, Flag, Moment, Text, Whole
from inventory.exchange.items import CODE, refusals
from inventory.exchange.kinds import Column, Key, Kind, Refusal, Row
from inventory.models import ChannelListing, KitComponent, Sku, Substitute
from inventory.services.define import define_listings
from inventory.states import PriceRule, SubstituteState
from inventory.types import PartDraft, SubstituteDraft

CHANNEL: Final = Text(64)
_AT_ONCE: Final = 2_000
_SUBSTITUTE: Final = (
    "rank", "ratio", "both_ways", "needs_consent", "price_rule", "starts_at", "ends_at",
)  # fmt: skip


def channel_ids(account_id: UUID) -> dict[str, UUID]:
    """The account's channels by code."""
    found = Channel.objects.for_scope(ALL_ACCOUNTS).filter(account_id=account_id)
    return dict(found.values_list("code", "pk"))


def no_channel(code: str) -> Refusal:
    return Refusal("channel", "unknown-channel", f"The account has no channel {code}.")


def _kits(account_id: UUID, keys: Collection[Key] | None) -> Iterator[Mapping[str, Any]]:
    found = KitComponent.objects.filter(kit__account_id=account_id)
    if keys is not None:
        found = found.filter(kit__code__in={kit for kit, _ in keys})
    ordered = found.order_by("kit__code", "component__code")
    for kit, component, quantity in ordered.values_list(
        "kit__code", "component__code", "quantity"
    ).iterator(chunk_size=_AT_ONCE):
        yield {"kit": kit, "component": component, "quantity": quantity}


def _put_kits(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> list[Refusal | None]:
    drafts = [PartDraft(row["kit"], row["component"], row["quantity"]) for row in rows]
    return refusals(services.put_parts(drafts, account_id=account_id, at=at, actor=actor))


def _remove_kits(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> list[Refusal | None]:
    named = [(row["kit"], row["component"]) for row in rows]
    return refusals(services.remove_parts(named, account_id=account_id, at=at, actor=actor))


def _substitutes(account_id: UUID, keys: Collection[Key] | None) -> Iterator[Mapping[str, Any]]:
    found = (
        Substitute.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id)
        .exclude(state=SubstituteState.RETIRED)
    )
    if keys is not None:
        found = found.filter(sku__code__in={sku for sku, _, _ in keys})
    names = ("sku__code", "substitute__code", "channel__code", *_SUBSTITUTE, "state")
    ordered = found.order_by("sku__code", "rank", "substitute__code", "channel__code")
    for values in ordered.values(*names).iterator(chunk_size=_AT_ONCE):
        yield {
            **values,
            "sku": values["sku__code"],
            "substitute": values["substitute__code"],
            "channel": values["channel__code"] or "",
            "approved": values["state"] == SubstituteState.APPROVED,
        }


def _put_substitutes(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> list[Refusal | None]:
    channels = channel_ids(account_id)
    told: dict[int, Refusal | None] = {
        row.number: no_channel(row["channel"])
        for row in rows
        if row["channel"] and row["channel"] not in channels
    }
    fine = [row for row in rows if row.number not in told]
    outcomes = services.propose_substitutes(
        [
            SubstituteDraft(
                row["sku"],
                row["substitute"],
                channels.get(row["channel"]),
                **{name: row[name] for name in _SUBSTITUTE},
            )
            for row in fine
        ],
        account_id=account_id,
        at=at,
        actor=actor,
    )
    told |= {row.number: why for row, why in zip(fine, refusals(outcomes), strict=True)}
    ids = {row.number: one.value for row, one in zip(fine, outcomes, strict=True) if one.value}
    wanted = [ids[row.number] for row in fine if row["approved"] and row.number in ids]
    dropped = [
        ids[row.number]
        for row in fine
        if row.known
        and not row["approved"]
        and row["state"] == SubstituteState.APPROVED
        and row.number in ids
    ]
    services.approve_substitutes(wanted, at=at, actor=actor)
    services.retire_substitutes(dropped, at=at, actor=actor)
    return [told[row.number] for row in rows]


def _retire(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> list[Refusal | None]:
    named = {(row["sku"], row["substitute"], row["channel"] or None) for row in rows}
    found = Substitute.objects.for_scope(ALL_ACCOUNTS).filter(
        account_id=account_id, sku__code__in={sku for sku, _, _ in named}
    )
    keys = [
        key
        for key, *name in found.values_list("pk", "sku__code", "substitute__code", "channel__code")
        if tuple(name) in named
    ]
    services.retire_substitutes(keys, at=at, actor=actor)
    return [None] * len(rows)


def _listings(account_id: UUID, keys: Collection[Key] | None) -> Iterator[Mapping[str, Any]]:
    found = ChannelListing.objects.filter(channel__account_id=account_id)
    if keys is not None:
        found = found.filter(external_sku__in={code for _, code in keys})
    ordered = found.order_by("channel__code", "external_sku")
    for channel, code, sku in ordered.values_list(
        "channel__code", "external_sku", "sku__code"
    ).iterator(chunk_size=_AT_ONCE):
        yield {"channel": channel, "channel_sku": code, "sku": sku}


def _put_listings(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> list[Refusal | None]:
    channels = channel_ids(account_id)
    skus = dict(
        Sku.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id, code__in={row["sku"] for row in rows})
        .values_list("code", "pk")
    )
    refused: list[Refusal | None] = []
    for row in rows:
        if row["channel"] not in channels:
            refused.append(no_channel(row["channel"]))
        elif row["sku"] not in skus:
            refused.append(Refusal("sku", "unknown-sku", f"There is no SKU {row['sku']}."))
        else:
            refused.append(None)
    wanted = [
        (channels[row["channel"]], row["channel_sku"], skus[row["sku"]])
        for row, why in zip(rows, refused, strict=True)
        if why is None
    ]
    define_listings(wanted, at=at, actor=actor)
    return refused


KITS: Final = Kind(
    code="kits",
    label="Kits",
    about="What each kit holds, a row per component.",
    key=("kit", "component"),
    columns=(
        Column("kit", CODE, needed=True),
        Column("component", CODE, needed=True),
        Column("quantity", Whole(1, 10_000), needed=True),
    ),
    current=_kits,
    write=_put_kits,
    remove=_remove_kits,
    permission=Permission.CONFIG_EDIT,
)
SUBSTITUTES: Final = Kind(
    code="substitutes",
    label="Substitutes",
    about="What may go out instead, with whose consent and at whose price.",
    key=("sku", "substitute", "channel"),
    columns=(
        Column("sku", CODE, needed=True),
        Column("substitute", CODE, needed=True),
        Column("channel", CHANNEL, empty="", help="Empty: all channels."),
        Column("rank", Whole(1, 1_000), empty=1),
        Column("ratio", Whole(1, 1_000), empty=1, help="Units of it that stand for one."),
        Column("both_ways", Flag(), empty=False),
        Column("needs_consent", Flag(), empty=True),
        Column("price_rule", Choice(PriceRule.values), empty=PriceRule.LOWER.value),
        Column("starts_at", Moment()),
        Column("ends_at", Moment()),
        Column("approved", Flag(), empty=False, help="A no retires what was approved."),
    ),
    current=_substitutes,
    write=_put_substitutes,
    remove=_retire,
    permission=Permission.CONFIG_EDIT,
)
LISTINGS: Final = Kind(
    code="listings",
    label="Channel listings",
    about="Under which code each channel sells a SKU.",
    key=("channel", "channel_sku"),
    columns=(
        Column("channel", CHANNEL, needed=True),
        Column("channel_sku", Text(120), needed=True),
        Column("sku", CODE, needed=True),
    ),
    current=_listings,
    write=_put_listings,
    permission=Permission.CONFIG_EDIT,
)

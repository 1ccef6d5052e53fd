"""Rules and quotas by the codes that people and other systems know things by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from config.kernel.errors import Invalid
from config.kernel.models import Brand, Channel
from config.kernel.types import ALL_ACCOUNTS, Scope
from inventory.models import BufferRule, Node, NodeGroup, QuotaPlan
from inventory.types import QuotaDraft, RuleDraft, Selection

_RULE = (
    "id", "name", "sequence", "starts_at", "ends_at", "safety_units", "safety_percent",
    "cover_days", "threshold",
)  # fmt: skip
_QUOTA = (
    "id", "name", "kind", "sequence", "overlay", "units", "percent", "cap", "spill", "spill_at",
    "starts_at", "ends_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Names:
    """What an account's codes mean."""

    account_id: UUID
    brands: Mapping[str, UUID]
    channels: Mapping[str, UUID]
    groups: Mapping[str, int]
    nodes: Mapping[str, int]

    def selection(self, values: Mapping[str, Any]) -> Selection:
        return Selection(
            sku_codes=tuple(values.get("skus") or ()),
            brand_id=self._meant(self.brands, "brand", values),
            sku_kind=values.get("sku_kind") or "",
            lifecycle=values.get("lifecycle") or "",
            attribute=values.get("attribute") or "",
            attribute_value=values.get("value") or "",
        )

    def rule(self, values: Mapping[str, Any]) -> RuleDraft:
        """The rule that these values name. Raises Invalid, naming the field, for an unknown code."""
        return RuleDraft(
            account_id=self.account_id,
            selection=self.selection(values),
            channel_id=self._meant(self.channels, "channel", values),
            group_id=self._meant(self.groups, "group", values),
            node_ids=tuple(
                self._meant(self.nodes, "nodes", {"nodes": code}) or 0
                for code in values.get("nodes") or ()
            ),
            cover_over_days=values.get("cover_over_days") or 28,
            **{name: values.get(name) for name in _RULE},  # type: ignore[arg-type]  # by name
        )

    def quota(self, values: Mapping[str, Any]) -> QuotaDraft:
        """The quota that these values name. Raises Invalid, naming the field, for an unknown code."""
        channel_id = self._meant(self.channels, "channel", values)
        if channel_id is None:
            raise wrong("channel", "Name the channel.")
        given = {name: values[name] for name in _QUOTA if name in values}
        return QuotaDraft(
            account_id=self.account_id,
            channel_id=channel_id,
            selection=self.selection(values),
            **given,
        )

    def _meant(self, known: Mapping[str, Any], field: str, values: Mapping[str, Any]) -> Any:
        code = values.get(field) or ""
        if not code:
            return None
        if code not in known:
            raise wrong(field, f"There is no {field.removesuffix('s')} {code}.")
        return known[code]


def names_of(account_id: UUID) -> Names:
    """What the account's codes mean. Four statements."""
    own = Scope(frozenset({account_id}))
    return Names(
        account_id,
        dict(_codes(Brand.objects.for_scope(ALL_ACCOUNTS).filter(account_id=account_id))),
        dict(_codes(Channel.objects.for_scope(ALL_ACCOUNTS).filter(account_id=account_id))),
        dict(_codes(NodeGroup.objects.for_scope(own))),
        dict(_codes(Node.objects.for_scope(own))),
    )


def wrong(field: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[{"pointer": f"/{field}", "code": "invalid", "detail": detail}])


def values_of_rule(row: BufferRule, codes: Mapping[int, str]) -> dict[str, Any]:
    """A rule read with its brand, channel and group, by codes; `codes` are those of nodes."""
    return {
        **{name: getattr(row, name) for name in _RULE},
        **_selected(row),
        "state": str(row.state),
        "channel": row.channel.code if row.channel else "",
        "group": row.group.code if row.group else "",
        "nodes": [codes.get(node_id, str(node_id)) for node_id in row.node_ids],
        "cover_over_days": row.cover_over_days,
    }


def values_of_quota(row: QuotaPlan) -> dict[str, Any]:
    """A quota plan read with its brand and channel, by codes."""
    return {
        **{name: getattr(row, name) for name in _QUOTA},
        **_selected(row),
        "state": str(row.state),
        "channel": row.channel.code,
    }


def _selected(row: BufferRule | QuotaPlan) -> dict[str, Any]:
    return {
        "skus": list(row.sku_codes),
        "brand": row.brand.code if row.brand else "",
        "sku_kind": row.sku_kind,
        "lifecycle": row.lifecycle,
        "attribute": row.attribute,
        "value": row.attribute_value,
    }


def node_codes(rows: Sequence[BufferRule]) -> dict[int, str]:
    """The codes of the nodes that rules name. One statement."""
    wanted = {node_id for row in rows for node_id in row.node_ids}
    found = Node.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=wanted)
    return dict(found.values_list("pk", "code"))


def _codes(found: Any) -> Any:
    return found.values_list("code", "pk")

"""Buffer rules: written down, published, withdrawn and ended. What they come to follows at once."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel import events
from config.kernel.errors import Invalid, NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.models import Channel
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.buffers import draft_of
from inventory.models import BufferRule, NodeGrant, NodeGroup
from inventory.selections import columns_of, selection_of
from inventory.selectors.rules import meant_by
from inventory.services.buffers import rules_changed
from inventory.states import Lifecycle, RuleState
from inventory.types import RuleDraft

_PLAIN = (
    "name", "sequence", "channel_id", "group_id", "safety_units", "safety_percent", "cover_days",
    "cover_over_days", "threshold", "starts_at", "ends_at",
)  # fmt: skip


@transaction.atomic
def define_rules(drafts: Sequence[RuleDraft], *, at: datetime, actor: Actor) -> list[UUID]:
    """Write rules down, new ones as drafts; a change of a live one counts at once. Ids in order.

    Raises Invalid for a rule that says nothing, or names what the account does not have, NotFound
    for an id that is not among the account's rules or has ended.
    """
    for draft in drafts:
        check_rule(draft)
    _check_names(drafts, actor)
    known = _locked({draft.id for draft in drafts if draft.id}, actor)
    rows, before = [], []
    for draft in drafts:
        row = known[draft.id] if draft.id else BufferRule(account_id=draft.account_id)
        if row.account_id != draft.account_id or row.state == RuleState.ENDED:
            raise NotFound("There is no such rule, or it has ended.")
        before.append(draft_of(row) if draft.id else None)
        for name, value in {
            **{name: getattr(draft, name) for name in _PLAIN},
            **columns_of(draft.selection),
            "node_ids": sorted(set(draft.node_ids)),
        }.items():
            setattr(row, name, value)
        rows.append(row)
    _write(rows, "rule.defined", "defined", at=at, actor=actor)
    live = [
        old
        for row, draft, was in zip(rows, drafts, before, strict=True)
        if row.state == RuleState.LIVE
        for old in (draft, was)
        if old is not None
    ]
    _apply(live, at=at)
    return [row.pk for row in rows]


def publish_rules(rule_ids: Collection[UUID], *, at: datetime, actor: Actor) -> None:
    """Put drafts into force, each in its time. Raises IllegalTransition for one that is no draft."""
    _move(rule_ids, BufferRule.publish, "rule.published", at=at, actor=actor)


def withdraw_rules(rule_ids: Collection[UUID], *, at: datetime, actor: Actor) -> None:
    """Take live rules out of force until they are published again."""
    _move(rule_ids, BufferRule.withdraw, "rule.withdrawn", at=at, actor=actor)


def end_rules(rule_ids: Collection[UUID], *, at: datetime, actor: Actor) -> None:
    """End rules for good."""

    def end(row: BufferRule) -> None:
        row.end(ends_at=end_of(row.starts_at, row.ends_at, at))

    _move(rule_ids, end, "rule.ended", at=at, actor=actor)


def end_of(starts_at: datetime, ends_at: datetime | None, at: datetime) -> datetime | None:
    """When something that is ended now has ended; what never began keeps its dates."""
    return min(at, ends_at or at) if starts_at < at else ends_at


def check_rule(draft: RuleDraft) -> None:
    """Raise Invalid for a rule that contradicts itself."""
    of_node = (draft.safety_units, draft.safety_percent, draft.cover_days)
    checks = [
        (bool(draft.name.strip()), "Give the rule a name."),
        (draft.ends_at is None or draft.ends_at > draft.starts_at, "It ends before it starts."),
        (
            draft.channel_id is None or (draft.threshold is not None and draft.threshold >= 0),
            "A rule for a channel says a threshold of zero or more.",
        ),
        (
            draft.channel_id is None
            or (of_node == (None, None, None) and not draft.node_ids and draft.group_id is None),
            "A rule for a channel says nothing of nodes.",
        ),
        (
            draft.channel_id is not None or draft.threshold is None,
            "A threshold is a channel's: name the channel.",
        ),
        (
            draft.channel_id is not None or of_node != (None, None, None),
            "Say units, a share, or days of cover.",
        ),
        ((draft.safety_units or 0) >= 0, "Safety units are zero or more."),
        (0 <= (draft.safety_percent or 0) <= 100, "A share is between 0 and 100 percent."),
        (0 <= (draft.cover_days or 0) <= 365, "Days of cover are at most a year."),
        (1 <= draft.cover_over_days <= 365, "Demand is averaged over 1 to 365 days."),
        (draft.selection.lifecycle in {"", *Lifecycle.values}, "There is no such lifecycle."),
        (
            bool(draft.selection.attribute) or not draft.selection.attribute_value,
            "Name the attribute that has this value.",
        ),
    ]
    for holds, detail in checks:
        if not holds:
            raise Invalid(detail)


def _check_names(drafts: Sequence[RuleDraft], actor: Actor) -> None:
    """Whatever the rules name is the account's. Four statements at most."""
    accounts = {draft.account_id for draft in drafts}
    if any(not actor.scope.allows(account_id) for account_id in accounts):
        raise NotFound("There is no such account.")
    channels = {draft.channel_id: draft.account_id for draft in drafts if draft.channel_id}
    groups = {draft.group_id: draft.account_id for draft in drafts if draft.group_id}
    nodes = {(draft.account_id, node_id) for draft in drafts for node_id in draft.node_ids}
    known_channels = dict(
        Channel.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=channels)
        .values_list("pk", "account_id")
    )
    known_groups = dict(
        NodeGroup.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=groups)
        .values_list("pk", "account_id")
    )
    granted = NodeGrant.objects.filter(
        account_id__in=accounts, node_id__in={node_id for _, node_id in nodes}
    )
    if known_channels != channels:
        raise Invalid("There is no such channel.")
    if known_groups != groups:
        raise Invalid("There is no such group of nodes.")
    if nodes - set(granted.values_list("account_id", "node_id")):
        raise Invalid("There is no such node.")


@transaction.atomic
def _move(
    rule_ids: Collection[UUID],
    transition: Callable[[BufferRule], None],
    topic: str,
    *,
    at: datetime,
    actor: Actor,
) -> None:
    known = _locked(rule_ids, actor)
    rows = [known[rule_id] for rule_id in rule_ids]
    was_live = {row.pk for row in rows if row.state == RuleState.LIVE}
    for row in rows:
        transition(row)
    _write(rows, topic, topic.partition(".")[2], at=at, actor=actor)
    touched = [row for row in rows if row.pk in was_live or row.state == RuleState.LIVE]
    _apply([draft_of(row) for row in touched], at=at)


def _apply(drafts: Sequence[RuleDraft], *, at: datetime) -> None:
    for account_id in sorted({draft.account_id for draft in drafts}):
        meant = meant_by(
            account_id, [draft.selection for draft in drafts if draft.account_id == account_id]
        )
        rules_changed(account_id, meant, at=at)


def _locked(rule_ids: Collection[UUID | None], actor: Actor) -> dict[UUID, BufferRule]:
    """The rules, locked by ascending id. Raises NotFound for one out of the actor's scope."""
    wanted = {rule_id for rule_id in rule_ids if rule_id is not None}
    rows = {row.pk: row for row in BufferRule.objects.for_scope(actor.scope).locked(wanted)}
    if wanted - rows.keys():
        raise NotFound("There is no such rule.")
    return rows


def _write(
    rows: Sequence[BufferRule],
    topic: str,
    reason: str,
    *,
    at: datetime,
    actor: Actor,
) -> None:
    if not rows:
        return
    fresh = [row for row in rows if row._state.adding]
    known = [row for row in rows if not row._state.adding]
    for row in rows:
        row.event_seq += 1
    BufferRule.objects.bulk_create(fresh)
    fields = [*_PLAIN, *columns_of(selection_of(rows[0])), "node_ids", "state", "event_seq"]
    BufferRule.objects.for_scope(ALL_ACCOUNTS).bulk_update(
        known, [name.removesuffix("_id") for name in fields]
    )
    for some, kind in ((fresh, Change.CREATED), (known, Change.CHANGED)):
        record_history(
            BufferRule, [row.pk for row in some], kind, at=at, actor=actor, reason=reason
        )
    events.record(
        [
            events.Fact(
                topic,
                "buffer_rule",
                row.pk,
                row.event_seq,
                row.account_id,
                {"sequence": row.sequence, "state": str(row.state)},
            )
            for row in rows
        ],
        at=at,
        actor=actor,
    )

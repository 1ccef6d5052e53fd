"""Buffer rules and quotas: listed, written, looked at beforehand, ended. One command each."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of, channel_of_key, nodes_in_reach, reach_of
from config.kernel.errors import DomainError, Forbidden
from config.kernel.idempotency import idempotent
from config.kernel.permissions import needs
from config.kernel.types import Actor, Outcome
from inventory import selectors, services
from inventory.api.reading import account_meant, read_body, uuid_of
from inventory.api.rule_shapes import (
    ByHandInput,
    PlannedItemsShape,
    PreviewShape,
    QuotaListShape,
    QuotasInput,
    QuotasPreviewInput,
    RuleListShape,
    RulesInput,
    RulesPreviewInput,
    SafetyItemsShape,
)
from inventory.services.quotas import check_quota
from inventory.services.rules import check_rule
from inventory.types import BufferChange, Preview

SEE = (Permission.INVENTORY_VIEW, Permission.INVENTORY_PLAN, Permission.API_CATALOG_WRITE)
WRITE = (Permission.INVENTORY_PLAN, Permission.API_CATALOG_WRITE)

_ID = [OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)]
_ENDED = [OpenApiParameter("ended", bool, description="Those that have ended as well.")]


class BufferRuleViewSet(ViewSet):
    """What is kept back: safety stock of nodes, thresholds of channels, in the order in which they count."""

    def get_permissions(self) -> Sequence[Any]:
        return [needs(*(SEE if self.action in {"list", "preview"} else WRITE))()]

    @extend_schema(parameters=_ENDED, responses=RuleListShape)
    def list(self, request: Request) -> Response:
        """The rules in their order: of those that match, the last one counts."""
        rows = selectors.buffer_rules(reach_of(request), ended=_flag(request, "ended"))
        reach = selectors.reach_of([row.pk for row in rows])
        codes = selectors.node_codes(rows)
        shown = [
            selectors.values_of_rule(row, codes)
            | {
                "positions": counted.positions,
                "units": counted.units,
                "terms": counted.terms,
            }
            for row in rows
            for counted in [reach.get(row.pk, selectors.Reach())]
        ]
        return Response(RuleListShape({"results": shown}).data)

    @extend_schema(request=RulesInput, responses=PlannedItemsShape)
    @idempotent
    def create(self, request: Request) -> Response:
        """Write up to 1,000 rules, new or changed, each with its own outcome."""
        given, actor = read_body(RulesInput, request), _planner(request)
        names = selectors.names_of(account_meant(request, given["account"]))
        at = clock.now()

        def write(drafts: Sequence[Any]) -> Sequence[UUID]:
            ids = services.define_rules(drafts, at=at, actor=actor)
            fresh = [id_ for id_, draft in zip(ids, drafts, strict=True) if draft.id is None]
            if given["publish"] and fresh:
                services.publish_rules(fresh, at=at, actor=actor)
            return ids

        return _written(given["rules"], names.rule, check_rule, write)

    @extend_schema(request=RulesPreviewInput, responses=PreviewShape)
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """What every channel's figures would be with these rules in force. Nothing is changed."""
        given = read_body(RulesPreviewInput, request)
        names = selectors.names_of(account_meant(request, given["account"], see=True))
        drafts = [names.rule(values) for values in given["rules"]]
        for draft in drafts:
            check_rule(draft)
        told = selectors.preview_rules(names.account_id, drafts, given["removed"], at=clock.now())
        return _told(told, names)

    @extend_schema(request=ByHandInput, responses=SafetyItemsShape)
    @action(detail=False, methods=["post"], url_path="by-hand")
    @idempotent
    def by_hand(self, request: Request) -> Response:
        """Set the safety stock of positions, above every rule; or give it up to the rules again."""
        given, actor, at = read_body(ByHandInput, request), _planner(request), clock.now()
        account_id = account_meant(request, given["account"])
        rows = given["positions"]
        skus = selectors.skus_by_code(account_id, None, {row["sku"] for row in rows})
        nodes = selectors.names_of(account_id).nodes
        places = [
            BufferChange(nodes.get(row["node"], 0), known.id if known else 0, row["units"] or 0)
            for row in rows
            for known in [skus.get(row["sku"])]
        ]
        outcomes = services.set_buffers(places, at=at, actor=actor)
        given_up = [
            outcome.value
            for row, outcome in zip(rows, outcomes, strict=True)
            if row["units"] is None and outcome.value is not None
        ]
        services.give_up_buffers(given_up, at=at, actor=actor)
        return Response({"results": [_safety(outcome) for outcome in outcomes]})

    @extend_schema(parameters=_ID, request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    @idempotent
    def publish(self, request: Request, pk: str) -> Response:
        """Put a draft into force, in its time."""
        services.publish_rules([uuid_of(pk, "/id")], at=clock.now(), actor=_planner(request))
        return Response(status=204)

    @extend_schema(parameters=_ID, request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    @idempotent
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take a rule out of force until it is published again."""
        services.withdraw_rules([uuid_of(pk, "/id")], at=clock.now(), actor=_planner(request))
        return Response(status=204)

    @extend_schema(parameters=_ID, request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    @idempotent
    def end(self, request: Request, pk: str) -> Response:
        """End a rule for good."""
        services.end_rules([uuid_of(pk, "/id")], at=clock.now(), actor=_planner(request))
        return Response(status=204)


class QuotaViewSet(ViewSet):
    """Units kept for channels: planned, live or ended by their dates, with what is used of them."""

    def get_permissions(self) -> Sequence[Any]:
        return [needs(*(SEE if self.action in {"list", "preview"} else WRITE))()]

    @extend_schema(parameters=_ENDED, responses=QuotaListShape)
    def list(self, request: Request) -> Response:
        """Quota plans by their start, with what they keep and have used in all."""
        rows = selectors.quota_plans(reach_of(request), ended=_flag(request, "ended"))
        used = selectors.used_of([row.pk for row in rows])
        shown = [
            selectors.values_of_quota(row)
            | {
                "quota_skus": counted.skus,
                "protected": counted.protected,
                "used": counted.used,
            }
            for row in rows
            for counted in [used.get(row.pk, selectors.Used())]
        ]
        return Response(QuotaListShape({"results": shown}).data)

    @extend_schema(request=QuotasInput, responses=PlannedItemsShape)
    @idempotent
    def create(self, request: Request) -> Response:
        """Write up to 1,000 quota plans, new or changed, each with its own outcome."""
        given, actor = read_body(QuotasInput, request), _planner(request)
        names = selectors.names_of(account_meant(request, given["account"]))
        at = clock.now()
        return _written(
            given["quotas"],
            names.quota,
            lambda draft: check_quota(draft, at),
            lambda drafts: services.plan_quotas(drafts, at=at, actor=actor),
        )

    @extend_schema(request=QuotasPreviewInput, responses=PreviewShape)
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """What every channel's figures would be with these quotas in force. Nothing is changed."""
        given, at = read_body(QuotasPreviewInput, request), clock.now()
        names = selectors.names_of(account_meant(request, given["account"], see=True))
        drafts = [names.quota(values) for values in given["quotas"]]
        for draft in drafts:
            check_quota(draft, at)
        told = selectors.preview_quotas(names.account_id, drafts, given["removed"], at=at)
        return _told(told, names)

    @extend_schema(parameters=_ID, request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    @idempotent
    def end(self, request: Request, pk: str) -> Response:
        """End a quota now: what is not used is everybody's again."""
        services.end_quotas([uuid_of(pk, "/id")], at=clock.now(), actor=_planner(request))
        return Response(status=204)


def _written(
    items: Sequence[Mapping[str, Any]],
    draft_of: Callable[[Mapping[str, Any]], Any],
    check: Callable[[Any], None],
    write: Callable[[Sequence[Any]], Sequence[UUID]],
) -> Response:
    """One command for the items that can be; the others are refused each for itself."""
    drafts: list[Any] = []
    refused: list[DomainError | None] = []
    for values in items:
        try:
            draft = draft_of(values)
            check(draft)
        except DomainError as error:
            refused.append(error)
        else:
            drafts.append(draft)
            refused.append(None)
    made = iter(write(drafts) if drafts else ())
    return Response(
        {
            "results": [
                {"outcome": "done", "id": str(next(made))}
                if error is None
                else {
                    "outcome": "refused",
                    "problem": {"code": error.code, "detail": error.detail},
                }
                for error in refused
            ]
        }
    )


def _safety(outcome: Outcome[int]) -> dict[str, Any]:
    if outcome.problem is not None:
        problem = {"code": outcome.problem.code, "detail": outcome.problem.detail}
        return {"outcome": "refused", "problem": problem}
    return {"outcome": "done", "position_id": outcome.value}


def _told(told: Preview, names: selectors.Names) -> Response:
    codes = {channel_id: code for code, channel_id in names.channels.items()}
    shown = {
        "skus": told.skus,
        "kits": told.kits,
        "positions": told.positions,
        "channels": [
            {
                "channel": codes[one.channel_id],
                "changed": one.changed,
                "raised": one.raised,
                "lowered": one.lowered,
                "to_zero": one.to_zero,
                "units_before": one.units_before,
                "units_after": one.units_after,
                "biggest_drops": one.biggest_drops,
            }
            for one in told.channels
        ],
    }
    return Response(PreviewShape(shown).data)


def _planner(request: Request) -> Actor:
    """The caller, who plans for all nodes and channels of the account."""
    if nodes_in_reach(request) is not None or channel_of_key(request) is not None:
        raise Forbidden("Rules and quotas reach beyond your nodes and channel.")
    return actor_of(request)


def _flag(request: Request, name: str) -> bool:
    return request.query_params.get(name, "") in {"1", "true"}

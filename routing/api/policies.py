"""Sourcing policies: drafted, looked at, reviewed, published, brought back. One command each."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of, channel_of_key, reach_of
from config.kernel.errors import Forbidden, NotFound
from config.kernel.idempotency import idempotent
from config.kernel.permissions import needs
from config.kernel.types import Actor
from inventory.api.reading import account_meant, channel_meant, read_body
from routing import selectors, services
from routing.lint import findings
from routing.models import SourcingPolicy
from routing.rule_reading import parse_rules
from routing.wording import differences, sentence

_ID = [OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)]
_STATE = [OpenApiParameter("state", str, description="draft, in_review, scheduled, live, retired")]
_AGAINST = [
    OpenApiParameter(
        "against", OpenApiTypes.UUID, description="Another version; else the one it was based on."
    )
]


class PolicyInput(serializers.Serializer[Any]):
    """A version of a policy. `rules` as docs/routing.md describes them, the first one first."""

    account = serializers.CharField(default="", allow_blank=True)
    channel = serializers.CharField(
        default="", allow_blank=True, help_text="Code; empty for the whole account."
    )
    code = serializers.SlugField(max_length=32)
    name = serializers.CharField(max_length=80)
    weights = serializers.DictField(child=serializers.IntegerField())
    max_nodes = serializers.IntegerField(default=4)
    max_km = serializers.IntegerField(default=None, allow_null=True)
    on_time = serializers.BooleanField(default=False)
    allow_partial = serializers.BooleanField(default=True)
    split_lines = serializers.BooleanField(default=True)
    soft = serializers.ListField(child=serializers.CharField(), default=list)
    rules = serializers.ListField(child=serializers.DictField(), default=list)
    comment = serializers.CharField(max_length=500, default="", allow_blank=True)
    based_on = serializers.UUIDField(default=None, allow_null=True)


class PolicyShape(serializers.Serializer[SourcingPolicy]):
    """A version of a policy, and where it stands. `sentences` say its rules in words."""

    id = serializers.UUIDField()
    account_id = serializers.UUIDField()
    channel_id = serializers.UUIDField(allow_null=True)
    code = serializers.CharField()
    version = serializers.IntegerField()
    name = serializers.CharField()
    state = serializers.CharField()
    weights = serializers.DictField()
    max_nodes = serializers.IntegerField()
    max_km = serializers.IntegerField(allow_null=True)
    on_time = serializers.BooleanField()
    allow_partial = serializers.BooleanField()
    split_lines = serializers.BooleanField()
    soft = serializers.ListField(child=serializers.CharField())
    rules = serializers.ListField(child=serializers.DictField())
    sentences = serializers.SerializerMethodField()
    comment = serializers.CharField()
    based_on_id = serializers.UUIDField(allow_null=True)
    drafted_by = serializers.CharField()
    reviewed_by = serializers.CharField()
    review_note = serializers.CharField()
    starts_at = serializers.DateTimeField(allow_null=True)
    published_by = serializers.CharField()
    published_at = serializers.DateTimeField(allow_null=True)
    retired_at = serializers.DateTimeField(allow_null=True)

    def get_sentences(self, policy: SourcingPolicy) -> list[str]:
        return [sentence(rule) for rule in parse_rules(policy.rules)]


class PolicyListShape(serializers.Serializer[Any]):
    results = PolicyShape(many=True)


class PolicyChangeShape(serializers.Serializer[Any]):
    """One thing that differs. An empty `before` is new, an empty `after` is gone."""

    what = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class PolicyChangeListShape(serializers.Serializer[Any]):
    results = PolicyChangeShape(many=True)


class PolicyFindingShape(serializers.Serializer[Any]):
    """Something doubtful: `error` or `warning`, a stable code, and what to do."""

    severity = serializers.CharField()
    code = serializers.CharField()
    about = serializers.CharField()
    detail = serializers.CharField()


class PolicyFindingListShape(serializers.Serializer[Any]):
    results = PolicyFindingShape(many=True)


class PolicyNoteInput(serializers.Serializer[Any]):
    note = serializers.CharField(max_length=500, default="", allow_blank=True)


class PolicyReasonInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class PolicyScheduleInput(PolicyNoteInput):
    starts_at = serializers.DateTimeField()


class PolicyViewSet(ViewSet):
    """How an account, or one channel of it, chooses nodes: every edit is a new version."""

    def get_permissions(self) -> Sequence[Any]:
        reads = self.action in {"list", "retrieve", "differences", "findings"}
        return [needs(Permission.ROUTING_VIEW if reads else Permission.ROUTING_EDIT)()]

    @extend_schema(parameters=_STATE, responses=PolicyListShape)
    def list(self, request: Request) -> Response:
        """Every version, the latest of each policy first."""
        found = selectors.policies(reach_of(request), state=request.query_params.get("state", ""))
        return Response(PolicyListShape({"results": found}).data)

    @extend_schema(request=PolicyInput, responses={201: PolicyShape})
    @idempotent
    def create(self, request: Request) -> Response:
        """Draft the next version of a policy; what is live stays as it is."""
        given, actor = read_body(PolicyInput, request), _planner(request)
        account_id = account_meant(request, given.pop("account"))
        channel = given.pop("channel")
        draft = services.PolicyDraft(
            account_id=account_id,
            channel_id=channel_meant(request, channel).pk if channel else None,
            rules=parse_rules(given.pop("rules")),
            soft=tuple(given.pop("soft")),
            **given,
        )
        policy = services.edit_policy(draft, at=clock.now(), actor=actor)
        return Response(PolicyShape(policy).data, status=201)

    @extend_schema(parameters=_ID, responses=PolicyShape)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One version."""
        return Response(PolicyShape(selectors.policy(pk, reach_of(request))).data)

    @extend_schema(parameters=[*_ID, *_AGAINST], responses=PolicyChangeListShape)
    def differences(self, request: Request, pk: UUID) -> Response:
        """What this version changed, in words."""
        policy = selectors.policy(pk, reach_of(request))
        against = request.query_params.get("against") or policy.based_on_id
        before = selectors.policy(_id(str(against)), reach_of(request)) if against else None
        return Response(PolicyChangeListShape({"results": differences(before, policy)}).data)

    @extend_schema(parameters=_ID, responses=PolicyFindingListShape)
    def findings(self, request: Request, pk: UUID) -> Response:
        """What is doubtful in this version: rules nobody reaches, places and goods not covered."""
        found = findings(selectors.policy(pk, reach_of(request)), at=clock.now())
        return Response(PolicyFindingListShape({"results": found}).data)

    @extend_schema(parameters=_ID, request=None, responses=PolicyShape)
    @idempotent
    def submit(self, request: Request, pk: UUID) -> Response:
        """Ask for a second person's look."""
        done = services.submit_policy(pk, at=clock.now(), actor=_planner(request))
        return Response(PolicyShape(done).data)

    @extend_schema(parameters=_ID, request=PolicyReasonInput, responses=PolicyShape)
    @idempotent
    def send_back(self, request: Request, pk: UUID) -> Response:
        """Make a policy in review, or a scheduled one, a draft again."""
        given = read_body(PolicyReasonInput, request)
        done = services.send_back_policy(
            pk, reason=given["reason"], at=clock.now(), actor=_planner(request)
        )
        return Response(PolicyShape(done).data)

    @extend_schema(parameters=_ID, request=PolicyNoteInput, responses=PolicyShape)
    @idempotent
    def publish(self, request: Request, pk: UUID) -> Response:
        """Make a reviewed policy live; its author may not."""
        given = read_body(PolicyNoteInput, request)
        done = services.publish_policy(
            pk, note=given["note"], at=clock.now(), actor=_planner(request)
        )
        return Response(PolicyShape(done).data)

    @extend_schema(parameters=_ID, request=PolicyScheduleInput, responses=PolicyShape)
    @idempotent
    def schedule(self, request: Request, pk: UUID) -> Response:
        """Have a reviewed policy go live at a time."""
        given = read_body(PolicyScheduleInput, request)
        done = services.schedule_policy(
            pk,
            starts_at=given["starts_at"],
            note=given["note"],
            at=clock.now(),
            actor=_planner(request),
        )
        return Response(PolicyShape(done).data)

    @extend_schema(parameters=_ID, request=None, responses=PolicyShape)
    @idempotent
    def retire(self, request: Request, pk: UUID) -> Response:
        """Take a policy out of use."""
        done = services.retire_policy(pk, at=clock.now(), actor=_planner(request))
        return Response(PolicyShape(done).data)

    @extend_schema(parameters=_ID, request=PolicyReasonInput, responses={201: PolicyShape})
    @idempotent
    def roll_back(self, request: Request, pk: UUID) -> Response:
        """Put back what was live before the live policy, in one step."""
        given = read_body(PolicyReasonInput, request)
        done = services.roll_back_policy(
            pk, reason=given["reason"], at=clock.now(), actor=_planner(request)
        )
        return Response(PolicyShape(done).data, status=201)


def _planner(request: Request) -> Actor:
    """The caller, who decides for all channels of the account."""
    if channel_of_key(request) is not None:
        raise Forbidden("Policies reach beyond your channel.")
    return actor_of(request, Permission.ROUTING_EDIT)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such policy.") from None

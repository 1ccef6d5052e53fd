"""Claims: what carriers owe for parcels that never arrived, and what the buyer gets."""

from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import clock
from config.kernel.actors import actor_of
from config.kernel.errors import NotFound
from config.kernel.idempotency import idempotent
from returns import selectors, services
from returns.api import serializers as shapes
from returns.api.base import DECIDE, SEE, Desk, answer_of, read_body, uuid_of
from returns.models import Claim
from returns.types import ClaimAnswer, ClaimDecision


class ClaimViewSet(Desk, viewsets.ReadOnlyModelViewSet[Claim]):
    """Claims that the caller may see, the latest first."""

    serializer_class = shapes.ClaimSerializer
    queryset = Claim.objects.none()
    permissions_by_action: ClassVar = {
        "list": SEE,
        "retrieve": SEE,
        "resolve": DECIDE,
        "file": DECIDE,
        "answer": DECIDE,
    }

    def get_queryset(self) -> QuerySet[Claim]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        asked = self.request.query_params
        order_id = uuid_of(asked["order"]) if asked.get("order") else None
        return self._of_channel(
            selectors.claims_matching(
                self._scope(), state=asked.get("state", ""), order_id=order_id
            )
        )

    @extend_schema(request=shapes.ResolveSerializer, responses=shapes.ClaimStandingSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def resolve(self, request: Request, pk: str) -> Response:
        """Give the buyer the goods again, their money, or nothing."""
        given = read_body(shapes.ResolveSerializer, request)
        decision = ClaimDecision(self._own(pk), given["resolution"])
        return answer_of(
            services.resolve_claims([decision], at=clock.now(), actor=actor_of(request))
        )

    @extend_schema(request=shapes.FileSerializer, responses=shapes.ClaimStandingSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def file(self, request: Request, pk: str) -> Response:
        """It was sent to the carrier, under this number."""
        reference = read_body(shapes.FileSerializer, request)["reference"]
        filed = (self._own(pk), reference)
        return answer_of(services.file_claims([filed], at=clock.now(), actor=actor_of(request)))

    @extend_schema(request=shapes.ClaimAnswerSerializer, responses=shapes.ClaimStandingSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def answer(self, request: Request, pk: str) -> Response:
        """What the carrier said: paid so much, or denied."""
        given = read_body(shapes.ClaimAnswerSerializer, request)
        said = ClaimAnswer(self._own(pk), **given)
        return answer_of(
            services.record_claim_answers([said], at=clock.now(), actor=actor_of(request))
        )

    def _own(self, pk: str) -> UUID:
        """The claim of the path. Raises NotFound beyond the caller's accounts and channel."""
        found = self._of_channel(selectors.claims_matching(self._scope()))
        row = found.filter(pk=uuid_of(pk)).first()
        if row is None:
            raise NotFound("There is no such claim.")
        own: UUID = row.pk
        return own

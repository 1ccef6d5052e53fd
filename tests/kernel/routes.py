"""Small views that each show one thing that the kernel does for every API."""

from typing import Any

from django.http import HttpResponse
from django.urls import path
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from config.kernel import ids
from config.kernel.actors import actor_of
from config.kernel.idempotency import idempotent
from config.kernel.models import Case, ExternalKey
from config.kernel.permissions import needs
from config.kernel.types import ALL_ACCOUNTS


class LineInput(serializers.Serializer[Any]):
    sku = serializers.CharField()
    quantity = serializers.IntegerField(min_value=1)


class OrderInput(serializers.Serializer[Any]):
    number = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField(max_length=3), required=False)
    lines = LineInput(many=True)

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if values["number"] == "13":
            raise serializers.ValidationError("An unlucky number.", code="unlucky")
        return values


class Who(APIView):
    permission_classes = [needs("orders.view", "api.orders.read")]

    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        return Response({"kind": actor.kind, "name": actor.name, "request": actor.correlation_id})


class Effects:
    """Counts what the guarded view did; fails when told to."""

    count = 0
    failure: Exception | None = None
    status = 201
    meanwhile: Any = None
    writes = False

    @classmethod
    def forget(cls) -> None:
        cls.count, cls.failure, cls.status, cls.meanwhile = 0, None, 201, None
        cls.writes = False

    @classmethod
    def write(cls) -> None:
        """An effect in the database."""
        key = ids.uuid7()
        ExternalKey.objects.create(scope="t", source="t", external_id=str(key), subject_id=key)


class Act(APIView):
    @idempotent
    def post(self, request: Request) -> Response:
        if Effects.meanwhile is not None:
            Effects.meanwhile()
        if Effects.writes:
            Effects.write()
        if Effects.failure is not None:
            raise Effects.failure
        Effects.count += 1
        return Response({"n": Effects.count, "got": request.data}, status=Effects.status)


class Validate(APIView):
    def post(self, request: Request) -> Response:
        OrderInput(data=request.data).is_valid(raise_exception=True)
        return Response({})


class Fail(APIView):
    def get(self, request: Request) -> HttpResponse:
        raise Effects.failure or AssertionError


class CaseRow(serializers.ModelSerializer[Case]):
    class Meta:
        model = Case
        fields = ["id", "number"]


class Cases(ListAPIView[Case]):
    serializer_class = CaseRow

    def get_queryset(self) -> Any:
        return Case.objects.for_scope(ALL_ACCOUNTS)


class CasesByDue(Cases):
    keyset_order = ("due_at", "-id")


urlpatterns = [
    path("who", Who.as_view()),
    path("act", Act.as_view()),
    path("validate", Validate.as_view()),
    path("fail", Fail.as_view()),
    path("cases", Cases.as_view()),
    path("cases-by-due", CasesByDue.as_view()),
]


def client_of(key: Any) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    return client

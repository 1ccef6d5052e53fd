"""What was promised of an order, who was told, and what its buyer says to a delay."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import clock
from config.kernel.actors import actor_of, reach_of
from config.kernel.errors import NotFound
from config.kernel.idempotency import idempotent
from orders import services
from orders.api.requests import matched, order_id_of, page_of, read_body
from orders.selectors.promised import PromiseRecord, promise_record
from orders.states import ConsentChoice
from orders.types import ConsentGiven

_SAID = [ConsentChoice.ACCEPT, ConsentChoice.CANCEL_LATE, ConsentChoice.CANCEL_ALL]


class ToldShape(serializers.Serializer[Any]):
    audience = serializers.CharField(help_text="`buyer`, `channel` or `agent`.")
    by = serializers.CharField()
    message_id = serializers.UUIDField(allow_null=True)
    at = serializers.DateTimeField()
    deliver_earliest = serializers.DateTimeField()
    deliver_latest = serializers.DateTimeField()


class ToldPromiseShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    group_id = serializers.UUIDField()
    version = serializers.IntegerField()
    original = serializers.BooleanField()
    stands = serializers.BooleanField()
    ship_by = serializers.DateTimeField()
    deliver_earliest = serializers.DateTimeField()
    deliver_latest = serializers.DateTimeField()
    cause = serializers.CharField()
    at = serializers.DateTimeField()
    told = ToldShape(many=True)


class ConsentAnswerShape(serializers.Serializer[Any]):
    choice = serializers.CharField()
    by = serializers.CharField()
    text = serializers.CharField()
    cancelled_units = serializers.IntegerField()
    at = serializers.DateTimeField()


class ConsentQuestionShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    group_id = serializers.UUIDField()
    promise_id = serializers.UUIDField()
    number = serializers.IntegerField(help_text="The first delay of the group is 1.")
    first_latest = serializers.DateTimeField()
    asked_latest = serializers.DateTimeField(allow_null=True)
    silence = serializers.CharField(help_text="What silence means: `consent` or `cancel`.")
    until = serializers.DateTimeField()
    asked_at = serializers.DateTimeField()
    answer = ConsentAnswerShape(allow_null=True)


class PromiseRecordShape(serializers.Serializer[Any]):
    promises = ToldPromiseShape(many=True)
    questions = ConsentQuestionShape(many=True)


class ConsentInput(serializers.Serializer[Any]):
    question_id = serializers.UUIDField()
    choice = serializers.ChoiceField(choices=[(one.value, one.label) for one in _SAID])
    text = serializers.CharField(
        max_length=500, help_text="The words that the buyer had before them; they name nobody."
    )
    language = serializers.CharField(max_length=5, default="en")


class PromiseVerbs:
    """Part of the order view set."""

    @extend_schema(responses=PromiseRecordShape)
    @action(detail=True, methods=["get"])
    def promises(self, request: Request, pk: str) -> Response:
        """Every version of every group's promise, whom we told of it, and what buyers were asked."""
        page = page_of(request, pk)
        found = promise_record(page.order.pk, reach_of(request))
        return Response(PromiseRecordShape(_body(found)).data)

    @extend_schema(request=ConsentInput, responses=ConsentAnswerShape)
    @action(detail=True, methods=["post"])
    @idempotent
    @matched
    def consent(self, request: Request, pk: str) -> Response:
        """Say what the buyer told you of a delay. It takes effect once."""
        given = read_body(ConsentInput, request)
        record = promise_record(order_id_of(pk), reach_of(request))
        if given["question_id"] not in {question.pk for question in record.questions}:
            raise NotFound("The order has no such question.")
        answer = services.answer_consent(
            ConsentGiven(
                given["question_id"], given["choice"], "agent", given["text"], given["language"]
            ),
            at=clock.now(),
            actor=actor_of(request),
        )
        return Response(ConsentAnswerShape(answer).data)


def _body(found: PromiseRecord) -> dict[str, Any]:
    told: dict[Any, list[Any]] = {}
    for one in found.told:
        told.setdefault(one.promise_id, []).append(one)
    first = {one.group_id: one.pk for one in reversed(found.promises)}
    last = {one.group_id: one.pk for one in found.promises}
    names = (
        "group_id", "version", "ship_by", "deliver_earliest", "deliver_latest", "cause", "at",
    )  # fmt: skip
    asked = (
        "group_id", "promise_id", "number", "first_latest", "asked_latest", "silence", "until",
        "asked_at",
    )  # fmt: skip
    return {
        "promises": [
            {name: getattr(one, name) for name in names}
            | {
                "id": one.pk,
                "original": first[one.group_id] == one.pk,
                "stands": last[one.group_id] == one.pk,
                "told": told.get(one.pk, []),
            }
            for one in found.promises
        ],
        "questions": [
            {name: getattr(one, name) for name in asked}
            | {"id": one.pk, "answer": found.answers.get(one.pk)}
            for one in found.questions
        ],
    }

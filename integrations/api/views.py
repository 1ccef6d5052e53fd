"""Webhooks of counterparts: proven by signature, kept first, answered quickly."""

import logging
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.kernel import clock
from config.kernel.types import Actor
from integrations import connections, dialects, services
from integrations.dialects import Dialect
from integrations.services.keep import Incoming, Kept
from integrations.types import BadSignature, ConnectionRef

logger = logging.getLogger(__name__)


class RawParser(BaseParser):
    """Leaves the body alone: a signature is over the bytes as they came."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        del stream, media_type, parser_context
        return {}


class ReceiptSerializer(serializers.Serializer[Kept]):
    """What a sender learns: that we have it."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    repeated = serializers.BooleanField()


class WebhookView(APIView):
    """`POST /api/v1/webhooks/{adapter}/{connection code}`.

    200 means kept for ever, whatever becomes of it; a repeat answers like the first. 401 means that
    no secret of the connection made the signature, and nothing was kept.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (RawParser,)

    @extend_schema(
        operation_id="webhooks_receive",
        parameters=[
            OpenApiParameter("adapter", OpenApiTypes.STR, "path"),
            OpenApiParameter("code", OpenApiTypes.STR, "path"),
        ],
        request={"application/json": OpenApiTypes.OBJECT},
        responses=ReceiptSerializer,
    )
    def post(self, request: Request, adapter: str, code: str) -> Response:
        raw = request.body
        spoken = dialects.dialect(adapter)
        ref = proven_sender(spoken, code, request, raw)
        message = Incoming.of(
            ref,
            external_id=spoken.message_id(request.headers, raw),
            kind=spoken.topic(request.headers, raw),
            headers=dict(request.headers),
            raw=raw,
        )
        actor = ref.actor()
        [kept] = services.keep_messages([message], at=clock.now(), actor=actor)
        state = kept.state if kept.repeated else self._apply(kept, actor)
        return Response(
            {"id": kept.id, "state": state, "repeated": kept.repeated}, status.HTTP_200_OK
        )

    def _apply(self, kept: Kept, actor: Actor) -> str:
        """Apply at once what was kept; a database that fails now does not make it lost."""
        try:
            [outcome] = services.apply_messages([kept.id], at=clock.now(), actor=actor)
        except DatabaseError:
            logger.exception("a kept message waits for the sweep", extra={"inbox_id": str(kept.id)})
            return "received"
        return "applied" if outcome.ok else "kept"


def proven_sender(spoken: Dialect, code: str, request: Request, raw: bytes) -> ConnectionRef:
    """The connection whose secret signed the bytes. Raises BadSignature, also for an unknown one."""
    if len(raw) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        for ref, secret in connections.signing(spoken.name, code):
            if spoken.proven(ref.settings, secret, request.headers, raw):
                return ref
    raise BadSignature("No secret of this connection made the signature.")

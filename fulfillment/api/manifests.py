"""Manifests: what a node handed to a carrier at once."""

from dataclasses import asdict
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import clock
from config.kernel.actors import actor_of
from config.kernel.idempotency import idempotent
from fulfillment import documents, selectors, services
from fulfillment.api import serializers as shapes
from fulfillment.api.base import PDF_RESPONSE, SEE, NodeWork, pdf, read_body, uuid_of
from fulfillment.models import Manifest


class ManifestViewSet(NodeWork, viewsets.ReadOnlyModelViewSet[Manifest]):
    """Manifests of the nodes that the caller may work for, the latest first."""

    serializer_class = shapes.ManifestSerializer
    queryset = Manifest.objects.none()
    permissions_by_action: ClassVar = {"list": SEE, "retrieve": SEE, "paper": SEE}
    across_channels: ClassVar = frozenset({"list", "retrieve", "paper", "create"})

    def get_queryset(self) -> QuerySet[Manifest]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        found = selectors.manifests(self._scope(), node_ids=self._nodes())
        if node := self.request.query_params.get("node"):
            found = found.filter(node__code=node)
        return found

    @extend_schema(parameters=[OpenApiParameter("node", description="Code of the node.")])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        request=shapes.CloseManifestSerializer,
        responses={status.HTTP_201_CREATED: shapes.ClosedManifestsSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Hand everything that is labelled for the carrier over: one manifest per account."""
        given = read_body(shapes.CloseManifestSerializer, request)
        node_id = selectors.node_at_work(given["node"], self._scope(), node_ids=self._nodes())
        closed = services.close_manifest(
            node_id, given["carrier"], at=clock.now(), actor=actor_of(request)
        )
        return Response(
            {"manifests": [asdict(one) for one in closed]}, status=status.HTTP_201_CREATED
        )

    @extend_schema(responses=PDF_RESPONSE)
    @action(detail=True, methods=["get"])
    def paper(self, request: Request, pk: str) -> HttpResponse:
        """The list for the carrier to sign, as PDF."""
        found = selectors.manifest(uuid_of(pk), self._scope(), node_ids=self._nodes())
        return pdf(documents.manifest_list(found), f"{found.number}.pdf")

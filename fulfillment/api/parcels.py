"""Parcels: tracked, labelled, listed, opened, taken back. Each write is one command."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from config.kernel import clock
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, NotFound
from config.kernel.idempotency import idempotent
from fulfillment import documents, selectors, services
from fulfillment.api import serializers as shapes
from fulfillment.api.base import (
    CONTACT,
    PDF_RESPONSE,
    REVERSE,
    SEE,
    ZIP_RESPONSE,
    NodeWork,
    answer_of,
    pdf,
    read_body,
    uuid_of,
    writes,
)
from fulfillment.models import Parcel
from fulfillment.types import TrackingNews


class ParcelViewSet(NodeWork, viewsets.GenericViewSet[Parcel]):
    """Parcels of the nodes that the caller may work for."""

    serializer_class = shapes.TrackedParcelSerializer
    queryset = Parcel.objects.none()
    permissions_by_action: ClassVar = {
        "retrieve": SEE,
        "packing_slip": CONTACT,
        "label": CONTACT,
        "bundle": CONTACT,
        "reverse_shipment": REVERSE,
    }
    across_channels: ClassVar = frozenset({"request_labels", "bundle", "manifest"})

    def _parcel(self) -> Parcel:
        found = selectors.parcel(uuid_of(self.kwargs["pk"]), self._scope(), node_ids=self._nodes())
        self._require_own(found.fulfillment_order.order.channel_id, "parcel")
        return found

    @extend_schema(responses=shapes.TrackedParcelSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(self._parcel()).data)

    @writes(shapes.TrackingSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def tracking(self, request: Request, pk: str) -> Response:
        """What happened to the parcel. Late and repeated news changes nothing."""
        parcel = self._parcel()
        events = read_body(shapes.TrackingSerializer, request)["events"]
        news = [
            TrackingNews(
                status=item["status"],
                happened_at=item["happened_at"],
                parcel_id=parcel.pk,
                external_id=item["external_id"],
                source="api",
                place=item["place"],
                correction=item["correction"],
            )
            for item in events
        ]
        return answer_of(services.record_tracking(news, at=clock.now(), actor=actor_of(request)))

    @writes(None)
    @action(detail=True, methods=["post"])
    @idempotent
    def void(self, request: Request, pk: str) -> Response:
        """Open the parcel again: its units are picked, no longer packed."""
        parcel = self._parcel()
        return answer_of(
            services.void_parcels([parcel.pk], at=clock.now(), actor=actor_of(request))
        )

    @writes(None)
    @action(detail=True, methods=["post"], url_path="reverse-shipment")
    @idempotent
    def reverse_shipment(self, request: Request, pk: str) -> Response:
        """The parcel never left: take it back, until its carrier's first scan."""
        parcel = self._parcel()
        return answer_of(
            services.reverse_shipments([parcel.pk], at=clock.now(), actor=actor_of(request))
        )

    def _reachable(self, shape: type[Serializer[Any]]) -> list[UUID]:
        """The parcels that the body names. Raises NotFound when one is beyond the caller."""
        wanted = read_body(shape, self.request)["parcels"]
        return selectors.reachable_parcels(wanted, self._scope(), node_ids=self._nodes())

    @writes(shapes.ParcelsSerializer)
    @action(detail=False, methods=["post"], url_path="labels")
    @idempotent
    def request_labels(self, request: Request) -> Response:
        """Ask the carriers for labels. They come later: the parcel is labelled then."""
        wanted = self._reachable(shapes.ParcelsSerializer)
        return answer_of(services.request_labels(wanted, at=clock.now(), actor=actor_of(request)))

    @extend_schema(request=shapes.BundleSerializer, responses=ZIP_RESPONSE)
    @action(detail=False, methods=["post"], url_path="labels/bundle")
    def bundle(self, request: Request) -> HttpResponse:
        """The labels of several parcels as one archive, all or none. Changes nothing."""
        wanted = self._reachable(shapes.BundleSerializer)
        found = selectors.label_documents(wanted, self._scope())
        missing = sorted(selectors.parcel_numbers(wanted, self._scope()) - found.keys())
        if missing:
            raise Conflict(
                f"{len(missing)} of {len(wanted)} parcels have no label.",
                reason="no-label",
                parcels=missing,
            )
        return HttpResponse(
            documents.bundle(found),
            content_type=documents.ZIP,
            headers={"Content-Disposition": 'attachment; filename="labels.zip"'},
        )

    @writes(shapes.ParcelsSerializer)
    @action(detail=False, methods=["post"])
    @idempotent
    def manifest(self, request: Request) -> Response:
        """Put parcels on the list that waits for the carrier."""
        wanted = self._reachable(shapes.ParcelsSerializer)
        return answer_of(services.manifest_parcels(wanted, at=clock.now(), actor=actor_of(request)))

    @extend_schema(responses=PDF_RESPONSE)
    @action(detail=True, methods=["get"])
    def label(self, request: Request, pk: str) -> HttpResponse:
        """The parcel's label, as its carrier made it."""
        parcel = self._parcel()
        found = selectors.label_documents([parcel.pk], self._scope()).get(parcel.number)
        if found is None:
            raise NotFound(f"{parcel.number} has no label.")
        return pdf(found[0], f"{parcel.number}.pdf", found[1])

    @extend_schema(responses=PDF_RESPONSE)
    @action(detail=True, methods=["get"], url_path="packing-slip")
    def packing_slip(self, request: Request, pk: str) -> HttpResponse:
        """What lies in the parcel, for the buyer, as PDF."""
        parcel = self._parcel()
        addresses = selectors.addresses_of([parcel.fulfillment_order_id])
        return pdf(documents.packing_slip([parcel], addresses), f"slip-{parcel.number}.pdf")

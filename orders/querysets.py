"""Querysets of orders: the one place where their filters and their lock order are written."""

from collections.abc import Iterable
from typing import Self
from uuid import UUID

from config.kernel.querysets import ScopedQuerySet
from orders.states import CaptureState, DisputeState, HoldState, OrderState, RefundState


class OrderQuerySet(ScopedQuerySet):
    def accepted(self) -> Self:
        return self.filter(state=OrderState.ACCEPTED)

    def captured(self) -> Self:
        return self.filter(state=OrderState.CAPTURED)


class HoldQuerySet(ScopedQuerySet):
    def active(self) -> Self:
        return self.filter(state=HoldState.ACTIVE)


class OfOrdersQuerySet(ScopedQuerySet):
    """Rows that belong to orders."""

    def of_orders(self, order_ids: Iterable[UUID]) -> Self:
        return self.filter(order_id__in=list(order_ids))


class CaptureQuerySet(OfOrdersQuerySet):
    def open(self) -> Self:
        return self.filter(state__in=[CaptureState.REQUESTED, CaptureState.UNKNOWN])


class DisputeQuerySet(OfOrdersQuerySet):
    def open(self) -> Self:
        return self.filter(state=DisputeState.OPENED)


class RefundQuerySet(OfOrdersQuerySet):
    def open(self) -> Self:
        return self.filter(state__in=[RefundState.PENDING, RefundState.SENT])

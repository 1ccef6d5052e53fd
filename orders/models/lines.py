"""Order lines: what was ordered and in which bucket each unit stands."""

from django.db import models
from django.db.models import F, Q

from config.kernel import ids
from config.kernel.querysets import ScopedQuerySet
from orders.models.order import DeliveryGroup, Order
from orders.states import BUCKETS, Initiator, LineKind, Relation


class OrderLine(models.Model):
    """One thing ordered. `ordered` never changes; units move between the buckets it is the sum of.

    ordered = pending + backordered + reserved + released + shipped + cancelled;
    shipped = underway + delivered + lost + sent_back; returned ≤ delivered. A kit carries the
    price and no units of work: its component lines carry them, and a share of the price.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="lines", db_index=False)
    group = models.ForeignKey(DeliveryGroup, models.PROTECT, related_name="lines", db_index=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=LineKind, default=LineKind.STOCK)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="children", db_index=False
    )
    relation = models.CharField(max_length=16, choices=Relation, default="", blank=True)
    sku = models.ForeignKey(
        "inventory.Sku", models.PROTECT, null=True, related_name="+", db_index=False
    )
    external_sku = models.CharField(max_length=128, default="")
    external_id = models.CharField(max_length=128, default="")
    title = models.CharField(max_length=300, default="")
    unit_weight_grams = models.PositiveIntegerField(default=0)
    unit_price = models.DecimalField(max_digits=18, decimal_places=6, default=0)
    gross_minor = models.BigIntegerField(default=0)
    discount_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField(default=0)
    properties = models.JSONField(default=dict)
    ordered = models.IntegerField()
    pending = models.IntegerField(default=0)
    backordered = models.IntegerField(default=0)
    reserved = models.IntegerField(default=0)
    released = models.IntegerField(default=0)
    shipped = models.IntegerField(default=0)
    cancelled = models.IntegerField(default=0)
    underway = models.IntegerField(default=0)
    delivered = models.IntegerField(default=0)
    lost = models.IntegerField(default=0)
    sent_back = models.IntegerField(default=0)
    returned = models.IntegerField(default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="line_position_once"),
            models.CheckConstraint(condition=Q(kind__in=LineKind.values), name="line_kind_known"),
            models.CheckConstraint(
                condition=Q(relation__in=["", *Relation.values]), name="line_relation_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    kind="kit",
                    pending=0,
                    backordered=0,
                    reserved=0,
                    released=0,
                    shipped=0,
                    cancelled=0,
                )
                | ~Q(kind="kit")
                & Q(
                    ordered=F("pending")
                    + F("backordered")
                    + F("reserved")
                    + F("released")
                    + F("shipped")
                    + F("cancelled")
                ),
                name="line_units_add_up",
            ),
            models.CheckConstraint(
                condition=Q(shipped=F("underway") + F("delivered") + F("lost") + F("sent_back")),
                name="line_shipped_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(returned__lte=F("delivered")), name="line_returned_was_delivered"
            ),
            models.CheckConstraint(
                condition=Q(**{f"{bucket}__gte": 0 for bucket in BUCKETS}, ordered__gte=0),
                name="line_units_not_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["group"], name="line_group"),
            models.Index(fields=["sku", "-id"], name="line_sku"),
            models.Index(
                fields=["sku", "id"],
                name="line_waiting",
                condition=Q(backordered__gt=0) | Q(pending__gt=0),
            ),
            models.Index(
                fields=["account", "external_sku"],
                name="line_unmapped",
                condition=Q(sku__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ordered} × {self.external_sku}"


class LineCancellation(models.Model):
    """Units of a line that were taken off, why and by whom: `cancelled` is the sum of these."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="cancellations")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="cancellations")
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    quantity = models.PositiveIntegerField()
    amount_minor = models.BigIntegerField(default=0)
    reason = models.CharField(max_length=200)
    initiator = models.CharField(max_length=12, choices=Initiator)
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(initiator__in=Initiator.values), name="cancellation_initiator_known"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=1), name="cancellation_quantity_positive"
            ),
        ]
        indexes = [models.Index(fields=["order", "id"], name="cancellation_order")]

    def __str__(self) -> str:
        return f"{self.quantity} cancelled: {self.reason}"

"""What is taken off what was invoiced, and the orders that follow from another. Minor units all."""

from django.db import models
from django.db.models import Q

from config.kernel import ids
from config.kernel.querysets import ScopedQuerySet
from orders.models.lines import OrderLine
from orders.models.order import Order
from orders.states import CreditPart, DocumentKind


class CreditNote(models.Model):
    """What an order owes less, because units came back, were lost, or were let go. Never changed.

    The document that decided it is named by `cause`: it is credited once under each `key`. What of
    the amount is carried to another order pays for that one, and is not given back.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="credit_notes", db_index=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    cause_kind = models.CharField(max_length=24)
    cause_id = models.UUIDField()
    key = models.CharField(max_length=64, default="")
    amount_minor = models.BigIntegerField()
    carried_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=200, default="")
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cause_id", "cause_kind", "key"], name="credit_note_once"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=0)
                & Q(carried_minor__gte=0)
                & Q(carried_minor__lte=models.F("amount_minor")),
                name="credit_note_amounts",
            ),
        ]
        indexes = [models.Index(fields=["order", "id"], name="credit_note_of_order")]

    def __str__(self) -> str:
        return f"Credit note {self.amount_minor} {self.currency}"


class CreditLine(models.Model):
    """One part of a credit note: goods, their tax, a share of a discount, shipping, or a fee.

    Goods name the line and their units; a fee and a share of a discount are negative.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    note = models.ForeignKey(CreditNote, models.PROTECT, related_name="parts")
    order = models.ForeignKey(Order, models.PROTECT, related_name="+", db_index=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    part = models.CharField(max_length=12, choices=CreditPart)
    line = models.ForeignKey(
        OrderLine, models.PROTECT, null=True, related_name="credits", db_index=False
    )
    quantity = models.PositiveIntegerField(default=0)
    amount_minor = models.BigIntegerField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(part__in=CreditPart.values), name="credit_part_known"
            ),
        ]
        indexes = [models.Index(fields=["order"], name="credit_line_of_order")]


class OrderLink(models.Model):
    """An order that follows from another: an exchange or a reship, once per cause."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    origin = models.ForeignKey(Order, models.PROTECT, related_name="followers", db_index=False)
    order = models.OneToOneField(Order, models.PROTECT, related_name="origin_link")
    kind = models.CharField(max_length=12, choices=DocumentKind)
    cause_kind = models.CharField(max_length=24)
    cause_id = models.UUIDField()
    parcel_id = models.UUIDField(null=True)
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cause_id", "cause_kind"], name="order_linked_once"),
            models.CheckConstraint(
                condition=Q(kind__in=[DocumentKind.EXCHANGE, DocumentKind.RESHIP]),
                name="order_link_kind_known",
            ),
        ]
        indexes = [models.Index(fields=["origin"], name="order_link_origin")]

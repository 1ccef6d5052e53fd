"""What came in and what was found: facts, never changed."""

from django.db import models
from django.db.models import Q

from config.kernel import ids
from config.kernel.querysets import ScopedQuerySet
from returns.models.returned import Return, ReturnLine
from returns.states import Disposition, Grade


class Receipt(models.Model):
    """Goods of a return that came in at a node at one time."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    returned = models.ForeignKey(Return, models.PROTECT, related_name="receipts")
    node = models.ForeignKey("inventory.Node", models.PROTECT, related_name="+")
    key = models.CharField(max_length=120, default="")
    received_by = models.CharField(max_length=120, default="")
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["returned", "key"], name="receipt_once", condition=~Q(key="")
            )
        ]


class ReceiptLine(models.Model):
    """Units of one line of a return in one receipt."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="lines")
    line = models.ForeignKey(ReturnLine, models.PROTECT, related_name="receipt_lines")
    quantity = models.PositiveIntegerField()
    announced = models.BooleanField(default=True)

    objects = ScopedQuerySet.as_manager()


class Inspection(models.Model):
    """What somebody found of some units, and what becomes of them."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    line = models.ForeignKey(ReturnLine, models.PROTECT, related_name="inspections")
    quantity = models.PositiveIntegerField()
    grade = models.CharField(max_length=1, choices=Grade)
    disposition = models.CharField(max_length=12, choices=Disposition)
    accepted = models.BooleanField()
    verified = models.BooleanField(default=False)
    lot = models.CharField(max_length=64, default="")
    key = models.CharField(max_length=120, default="")
    inspected_by = models.CharField(max_length=120, default="")
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(grade__in=Grade.values) & Q(disposition__in=Disposition.values),
                name="inspection_words_known",
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="inspection_of_something"),
            models.UniqueConstraint(
                fields=["line", "key"], name="inspection_once", condition=~Q(key="")
            ),
        ]

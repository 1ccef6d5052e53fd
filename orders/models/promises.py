"""Promises, never overwritten, and notes, sealed."""

from django.db import models

from config.kernel import ids
from config.kernel.querysets import ScopedQuerySet
from orders.models.order import DeliveryGroup, Order


class Promise(models.Model):
    """One version of what the buyer was promised for a delivery group. The highest version stands."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="promises", db_index=False)
    group = models.ForeignKey(
        DeliveryGroup, models.PROTECT, related_name="promises", db_index=False
    )
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    version = models.PositiveIntegerField()
    ship_by = models.DateTimeField()
    deliver_earliest = models.DateTimeField()
    deliver_latest = models.DateTimeField()
    cause = models.CharField(max_length=32, default="accept")
    basis = models.JSONField(default=dict)
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "version"], name="promise_version_once")
        ]
        indexes = [models.Index(fields=["order", "id"], name="promise_order")]

    def __str__(self) -> str:
        return f"Promise {self.version}: ship by {self.ship_by:%Y-%m-%d %H:%M}"


class OrderNote(models.Model):
    """What someone wrote down about the order. Free text may hold personal data: it is sealed."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="notes", db_index=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    key = models.ForeignKey(
        "kernel.SubjectKey", models.PROTECT, null=True, related_name="+", db_index=False
    )
    sealed = models.BinaryField()
    author = models.CharField(max_length=120)
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["order", "id"], name="note_order")]

    def __str__(self) -> str:
        return f"Note by {self.author}"

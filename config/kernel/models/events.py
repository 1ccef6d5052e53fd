"""Events, their deliveries, and how far the relay has read."""

from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.querysets import ScopedQuerySet


class TransactionId(models.Field):  # type: ignore[type-arg]  # not generic when it runs
    """PostgreSQL's `xid8`: the number of the transaction that wrote the row."""

    def db_type(self, connection: object) -> str:
        return "xid8"

    def from_db_value(self, value: str | None, *_: object) -> int | None:
        return None if value is None else int(value)

    def get_prep_value(self, value: object) -> str | None:
        return None if value is None else str(value)


class Event(models.Model):
    """A fact, written in the transaction that made it true. Never updated, never coalesced.

    `seq` is the subject row's own `event_seq`, raised in the same UPDATE. `xid` lets the relay
    read behind the horizon of running transactions, so that a late commit is never stepped over.
    `data` carries ids and codes, never personal data.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    xid = TransactionId(db_default=RawSQL("pg_current_xact_id()", ()))
    topic = models.CharField(max_length=64)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.UUIDField()
    seq = models.BigIntegerField()
    thread_id = models.UUIDField(null=True)
    account_id = models.UUIDField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=120)
    on_behalf_of = models.CharField(max_length=120, default="")
    correlation_id = models.CharField(max_length=64, default="")
    causation_id = models.CharField(max_length=64, default="")
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=RawSQL("clock_timestamp()", ()))
    data = models.JSONField(default=dict)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["xid", "id"], name="event_horizon"),
            models.Index(fields=["subject_id", "seq"], name="event_subject"),
            models.Index(
                fields=["thread_id", "id"],
                name="event_thread",
                condition=Q(thread_id__isnull=False),
            ),
        ]


class DeliveryState(models.TextChoices):
    PENDING = "pending", "Pending"
    DONE = "done", "Done"
    DEAD = "dead", "Dead"


class Delivery(models.Model):
    """One event owed to one consumer. Due when no earlier one of the same subject is open."""

    pk = models.CompositePrimaryKey("event_id", "consumer")
    event_id = models.UUIDField()
    consumer = models.CharField(max_length=64)
    topic = models.CharField(max_length=64)
    subject_id = models.UUIDField()
    seq = models.BigIntegerField()
    shard = models.SmallIntegerField()
    state = models.CharField(max_length=8, choices=DeliveryState, default=DeliveryState.PENDING)
    attempts = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField(db_default=RawSQL("clock_timestamp()", ()))
    last_error = models.TextField(default="")
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=DeliveryState.values), name="delivery_state_known"
            ),
        ]
        indexes = [
            models.Index(
                F("consumer"),
                F("shard"),
                F("due_at"),
                name="delivery_due",
                condition=Q(state=DeliveryState.PENDING),
            ),
            models.Index(
                fields=["consumer", "subject_id", "seq"],
                name="delivery_open",
                condition=~Q(state=DeliveryState.DONE),
            ),
        ]


class RelayCursor(models.Model):
    """How far the relay has turned events into deliveries: the last `(xid, event)` it wrote."""

    name = models.CharField(max_length=32, primary_key=True)
    xid = TransactionId(db_default=RawSQL("'0'::xid8", ()))
    event_id = models.UUIDField(null=True)

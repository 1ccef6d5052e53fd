"""Promises, never overwritten; whom we told of them, and what buyers said of a delay; notes, sealed."""

from django.db import models
from django.db.models import F, Q

from config.kernel import ids
from config.kernel.querysets import ScopedQuerySet
from orders.models.order import DeliveryGroup, Order
from orders.states import Audience, ConsentBy, ConsentChoice, Silence


class Promise(models.Model):
    """One version of what the buyer was promised for a delivery group. The highest version stands.

    The database refuses to change or remove a version.
    """

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


class PromiseTold(models.Model):
    """Somebody was shown the dates of one version: whom, by what, and which dates. Append-only.

    `message_id` is the message to the buyer, or the event that a channel was sent; empty where a
    person read them out.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    order = models.ForeignKey(Order, models.PROTECT, related_name="+", db_index=False)
    group = models.ForeignKey(DeliveryGroup, models.PROTECT, related_name="+", db_index=False)
    promise = models.ForeignKey(
        Promise, models.DO_NOTHING, related_name="told", db_constraint=False, db_index=False
    )
    audience = models.CharField(max_length=8, choices=Audience)
    by = models.CharField(max_length=64, help_text="E-mail, or the code of the channel's endpoint.")
    message_id = models.UUIDField(null=True)
    deliver_earliest = models.DateTimeField()
    deliver_latest = models.DateTimeField()
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "telling of a promise"
        verbose_name_plural = "tellings of promises"
        constraints = [
            models.UniqueConstraint(
                fields=["promise", "audience", "by", "message_id"],
                name="promise_told_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(audience__in=Audience.values), name="promise_told_audience_known"
            ),
        ]
        indexes = [models.Index(fields=["order", "id"], name="promise_told_order")]


class ConsentQuestion(models.Model):
    """A buyer is asked whether a delay beyond the first promise is all right with them.

    `asked_latest` is the new last day, empty where nobody knows one. `silence` says what it means
    that nobody has answered by `until`. `answered_at` is when an answer, or that, took effect.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    order = models.ForeignKey(Order, models.PROTECT, related_name="+", db_index=False)
    group = models.ForeignKey(DeliveryGroup, models.PROTECT, related_name="+", db_index=False)
    promise = models.ForeignKey(
        Promise, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    number = models.PositiveSmallIntegerField(help_text="The first delay of the group is 1.")
    first_latest = models.DateTimeField(help_text="The last day that was promised first.")
    asked_latest = models.DateTimeField(null=True)
    silence = models.CharField(max_length=8, choices=Silence)
    until = models.DateTimeField()
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=120)
    answered_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "number"], name="consent_question_numbered"),
            models.UniqueConstraint(
                fields=["group"], name="consent_one_open", condition=Q(answered_at__isnull=True)
            ),
            models.CheckConstraint(
                condition=Q(silence__in=Silence.values), name="consent_silence_known"
            ),
            models.CheckConstraint(
                condition=Q(until__gte=F("asked_at")), name="consent_until_follows"
            ),
        ]
        indexes = [
            models.Index(fields=["order", "id"], name="consent_question_order"),
            models.Index(
                fields=["until"], name="consent_open", condition=Q(answered_at__isnull=True)
            ),
        ]


class ConsentAnswer(models.Model):
    """What became of a question: who said what, when, and the words they had before them.

    Append-only: it is the proof. `text` names nobody.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    question = models.OneToOneField(ConsentQuestion, models.PROTECT, related_name="answer")
    choice = models.CharField(max_length=12, choices=ConsentChoice)
    by = models.CharField(max_length=8, choices=ConsentBy)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=120)
    text = models.TextField()
    language = models.CharField(max_length=5, default="en")
    cancelled_units = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(choice__in=ConsentChoice.values), name="consent_choice_known"
            ),
            models.CheckConstraint(condition=Q(by__in=ConsentBy.values), name="consent_by_known"),
        ]


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

"""Feeds: who tells of a node's stock, what its numbers mean, and how far it has told."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q

from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from inventory.models.network import Node
from inventory.states import Degrade, FeedOrdering, FeedSemantics, FeedState


class Feed(StateModel):
    """A source that tells of an account's stock at a node: fresh → late → silent → fresh.

    `nets_committed`, `nets_picked`: its available units are already without those that we have
    committed, or picked. `nets_held`: they are without units in quality hold, damaged or awaiting
    a count; a feed that does not take them off counts them among the available ones.
    Differences of at most `heal_units`, `heal_percent` of the book and `heal_value_minor` follow
    the feed by themselves, those of sensitive goods only with `heal_sensitive`; with no limit, all do. `missing` are the sequence numbers below `sequence` that have
    not come, as pairs (first, last); `covered_sequence` is what the last snapshot has in it.
    """

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    node = models.ForeignKey(Node, models.CASCADE, related_name="feeds")
    source = models.CharField(max_length=64)
    semantics = models.CharField(max_length=12, choices=FeedSemantics, default=FeedSemantics.BOTH)
    nets_committed = models.BooleanField(default=False)
    nets_picked = models.BooleanField(default=False)
    nets_held = models.BooleanField(default=True)
    ordering = models.CharField(max_length=12, choices=FeedOrdering, default=FeedOrdering.NONE)
    expected_every = models.DurationField(null=True, blank=True)
    silent_after = models.DurationField(null=True, blank=True)
    degrade = models.CharField(max_length=12, choices=Degrade, default=Degrade.NONE)
    haircut_percent = models.PositiveSmallIntegerField(default=0)
    heal_units = models.PositiveIntegerField(null=True, blank=True)
    heal_percent = models.PositiveSmallIntegerField(null=True, blank=True)
    heal_value_minor = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="At the selling price; what is worth more waits for a person.",
    )
    heal_sensitive = models.BooleanField(
        default=True,
        db_default=True,
        help_text="Also what is kept by lot or serial, is dangerous, or falls under a law.",
    )
    reconcile_every = models.DurationField(null=True, blank=True)

    begun_at = models.DateTimeField()
    state = StateField(max_length=12, choices=FeedState, default=FeedState.FRESH)
    state_since = models.DateTimeField(null=True, blank=True)
    as_of = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    sequence = models.BigIntegerField(null=True, blank=True)
    covered_sequence = models.BigIntegerField(null=True, blank=True)
    missing = models.JSONField(default=list, blank=True)
    gap_since = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(
        null=True, blank=True, help_text="When a snapshot was asked for that has not come yet."
    )
    reconciled_at = models.DateTimeField(null=True, blank=True)
    degraded = models.BooleanField(
        default=False, help_text="Whether its silence is worked into the node's figures."
    )
    event_seq = models.BigIntegerField(default=0)

    history = HistoricalRecords(
        excluded_fields=[
            "begun_at",
            "as_of",
            "seen_at",
            "sequence",
            "covered_sequence",
            "missing",
            "gap_since",
            "asked_at",
            "reconciled_at",
            "degraded",
            "event_seq",
        ]
    )
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["node", "source", "account"], name="feed_once"),
            models.CheckConstraint(
                condition=Q(semantics__in=FeedSemantics.values), name="feed_semantics_known"
            ),
            models.CheckConstraint(
                condition=Q(ordering__in=FeedOrdering.values), name="feed_ordering_known"
            ),
            models.CheckConstraint(
                condition=Q(degrade__in=Degrade.values), name="feed_degrade_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=FeedState.values), name="feed_state_known"
            ),
            models.CheckConstraint(
                condition=Q(haircut_percent__lte=100)
                & (~Q(degrade=Degrade.HAIRCUT) | Q(haircut_percent__gt=0)),
                name="feed_haircut_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(silent_after=None)
                | Q(expected_every=None)
                | Q(silent_after__gte=F("expected_every")),
                name="feed_silent_after_it_is_late",
            ),
            models.CheckConstraint(
                condition=Q(expected_every=None) | Q(expected_every__gt=timedelta()),
                name="feed_expected_after_a_while",
            ),
        ]
        indexes = [
            models.Index(
                fields=["node"],
                name="feed_not_fresh",
                condition=~Q(state=FeedState.FRESH),
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} at {self.node_id}"

    @transition(field=state, source=FeedState.FRESH, target=FeedState.LATE)
    def fall_late(self, *, at: datetime) -> None:
        """Nothing came when it was expected."""
        self.state_since = at

    @transition(field=state, source=[FeedState.FRESH, FeedState.LATE], target=FeedState.SILENT)
    def fall_silent(self, *, at: datetime) -> None:
        """Nothing came for so long that its figures are not to be relied on."""
        self.state_since = at

    @transition(field=state, source=[FeedState.LATE, FeedState.SILENT], target=FeedState.FRESH)
    def speak(self, *, at: datetime) -> None:
        """It has told something again."""
        self.state_since = at

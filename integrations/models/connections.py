"""The counterparts that this installation talks to, each with its adapter, address and secrets."""

from django.db import models
from django.db.models import Q

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from integrations.states import ConnectionKind, ConnectionState


class Connection(StateModel):
    """One counterpart: a shop, a warehouse, a carrier, a provider, a mail server, a supplier.

    `adapter` names the code that speaks to it, `settings` hold what is not secret, `sealed` the
    secrets by name. `cursor` holds how far each poll has come. The times of health are business
    time; each is written at most every few seconds.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=ConnectionKind)
    code = models.SlugField(max_length=31, db_index=False)
    adapter = models.CharField(max_length=32)
    name = models.CharField(max_length=120)
    channel = models.ForeignKey(
        "kernel.Channel", models.PROTECT, null=True, blank=True, related_name="+"
    )
    node = models.ForeignKey(
        "inventory.Node", models.PROTECT, null=True, blank=True, related_name="+"
    )
    carrier_code = models.CharField(max_length=32, default="", blank=True)
    base_url = models.CharField(max_length=255, default="", blank=True)
    settings = models.JSONField(default=dict, blank=True)
    key = models.ForeignKey(
        "kernel.SubjectKey", models.PROTECT, null=True, related_name="+", editable=False
    )
    sealed = models.BinaryField(default=b"", editable=False)
    hint = models.CharField(max_length=120, default="", editable=False)
    state = StateField(max_length=12, choices=ConnectionState, default=ConnectionState.LISTENING)
    expected_every = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Seconds within which news is expected; silence is an error.",
    )
    last_heard_at = models.DateTimeField(null=True, editable=False)
    last_answered_at = models.DateTimeField(null=True, editable=False)
    last_failed_at = models.DateTimeField(null=True, editable=False)
    failure = models.CharField(max_length=255, default="", editable=False)
    cursor = models.JSONField(default=dict, editable=False)
    changed_at = models.DateTimeField(editable=False)

    history = HistoricalRecords(
        excluded_fields=[
            "sealed",
            "last_heard_at",
            "last_answered_at",
            "last_failed_at",
            "failure",
            "cursor",
        ]
    )
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "code"], name="connection_code_once"),
            models.UniqueConstraint(
                fields=["node"],
                name="connection_node_once",
                condition=Q(kind=ConnectionKind.WAREHOUSE),
            ),
            models.UniqueConstraint(
                fields=["channel"],
                name="connection_channel_once",
                condition=Q(kind=ConnectionKind.CHANNEL),
            ),
            models.UniqueConstraint(
                fields=["account", "carrier_code"],
                name="connection_carrier_once",
                condition=Q(kind=ConnectionKind.CARRIER),
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ConnectionKind.values), name="connection_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ConnectionState.values), name="connection_state_known"
            ),
        ]
        indexes = [
            models.Index(fields=["code", "adapter"], name="connection_address"),
        ]

    def __str__(self) -> str:
        return self.name

    @transition(
        field=state,
        source=[ConnectionState.LISTENING, ConnectionState.PAUSED],
        target=ConnectionState.LIVE,
    )
    def go_live(self) -> None:
        """From now on we also send."""

    @transition(
        field=state,
        source=[ConnectionState.LISTENING, ConnectionState.LIVE],
        target=ConnectionState.PAUSED,
    )
    def pause(self) -> None:
        """Nothing is asked and nothing sent; what comes in by itself is taken in all the same."""

    @transition(
        field=state,
        source=[ConnectionState.LIVE, ConnectionState.PAUSED],
        target=ConnectionState.LISTENING,
    )
    def listen(self) -> None:
        """Taken in, and polled; nothing is sent."""

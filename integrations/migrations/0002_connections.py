"""Connections take the place of the channels' secrets; messages name the one they came by."""

import config.kernel.fsm
import config.kernel.ids
import config.kernel.operations
import django.db.models.deletion
import simple_history.models
from django.db import migrations, models


class Migration(config.kernel.operations.RenderedOnce):
    dependencies = [
        ("integrations", "0001_initial"),
        ("inventory", "0001_initial"),
        ("kernel", "0002_intent_queue"),
    ]

    operations = [
        migrations.CreateModel(
            name="Connection",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.kernel.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("channel", "Channel"),
                            ("warehouse", "Warehouse"),
                            ("carrier", "Carrier"),
                            ("payments", "Payments"),
                            ("mail", "Mail"),
                            ("supplier", "Supplier"),
                        ],
                        max_length=16,
                    ),
                ),
                ("code", models.SlugField(db_index=False, max_length=31)),
                ("adapter", models.CharField(max_length=32)),
                ("name", models.CharField(max_length=120)),
                ("carrier_code", models.CharField(blank=True, default="", max_length=32)),
                ("base_url", models.CharField(blank=True, default="", max_length=255)),
                ("settings", models.JSONField(blank=True, default=dict)),
                ("sealed", models.BinaryField(default=b"")),
                ("hint", models.CharField(default="", editable=False, max_length=120)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("listening", "Listening"),
                            ("live", "Live"),
                            ("paused", "Paused"),
                        ],
                        default="listening",
                        editable=False,
                        max_length=12,
                    ),
                ),
                (
                    "expected_every",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Seconds within which news is expected; silence is an error.",
                        null=True,
                    ),
                ),
                ("last_heard_at", models.DateTimeField(editable=False, null=True)),
                ("last_answered_at", models.DateTimeField(editable=False, null=True)),
                ("last_failed_at", models.DateTimeField(editable=False, null=True)),
                ("failure", models.CharField(default="", editable=False, max_length=255)),
                ("cursor", models.JSONField(default=dict, editable=False)),
                ("changed_at", models.DateTimeField(editable=False)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.channel",
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.subjectkey",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.node",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["code", "adapter"], name="connection_address")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "code"), name="connection_code_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "warehouse")),
                        fields=("node",),
                        name="connection_node_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "channel")),
                        fields=("channel",),
                        name="connection_channel_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "carrier")),
                        fields=("account", "carrier_code"),
                        name="connection_carrier_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                ["channel", "warehouse", "carrier", "payments", "mail", "supplier"],
                            )
                        ),
                        name="connection_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["listening", "live", "paused"])),
                        name="connection_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalConnection",
            fields=[
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=120)),
                ("correlation_id", models.CharField(default="", max_length=64)),
                ("history_at", models.DateTimeField()),
                (
                    "id",
                    models.UUIDField(
                        db_index=True, default=config.kernel.ids.uuid7, editable=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("channel", "Channel"),
                            ("warehouse", "Warehouse"),
                            ("carrier", "Carrier"),
                            ("payments", "Payments"),
                            ("mail", "Mail"),
                            ("supplier", "Supplier"),
                        ],
                        max_length=16,
                    ),
                ),
                ("code", models.SlugField(db_index=False, max_length=31)),
                ("adapter", models.CharField(max_length=32)),
                ("name", models.CharField(max_length=120)),
                ("carrier_code", models.CharField(blank=True, default="", max_length=32)),
                ("base_url", models.CharField(blank=True, default="", max_length=255)),
                ("settings", models.JSONField(blank=True, default=dict)),
                ("hint", models.CharField(default="", editable=False, max_length=120)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("listening", "Listening"),
                            ("live", "Live"),
                            ("paused", "Paused"),
                        ],
                        default="listening",
                        editable=False,
                        max_length=12,
                    ),
                ),
                (
                    "expected_every",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Seconds within which news is expected; silence is an error.",
                        null=True,
                    ),
                ),
                ("changed_at", models.DateTimeField(editable=False)),
                ("history_change_reason", models.TextField(default="")),
                (
                    "history_id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False),
                ),
                ("history_date", models.DateTimeField()),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="kernel.channel",
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="kernel.subjectkey",
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="inventory.node",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical connection",
                "verbose_name_plural": "historical connections",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalconnection",
            "history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly("historicalconnection"),
        migrations.AddField(
            model_name="inboxmessage",
            name="connection",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="integrations.connection",
            ),
        ),
        migrations.DeleteModel(name="ChannelCredential"),
        migrations.DeleteModel(name="HistoricalChannelCredential"),
    ]

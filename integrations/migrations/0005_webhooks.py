"""Webhooks that we send."""

import config.kernel.fsm
import config.kernel.ids
import config.kernel.operations
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import simple_history.models
from django.db import migrations, models


class Migration(config.kernel.operations.RenderedOnce):
    dependencies = [
        ("integrations", "0004_buyer_messages"),
        ("kernel", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalWebhookEndpoint",
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
                ("name", models.CharField(max_length=80)),
                ("url", models.CharField(max_length=500)),
                (
                    "topics",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=48), default=list, size=None
                    ),
                ),
                (
                    "channel_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), default=list, size=None
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("enabled", "Enabled"),
                            ("disabled", "Disabled"),
                            ("removed", "Removed"),
                        ],
                        default="enabled",
                        editable=False,
                        max_length=8,
                    ),
                ),
                ("reason", models.CharField(default="", editable=False, max_length=200)),
                ("hint", models.CharField(default="", editable=False, max_length=8)),
                ("created_at", models.DateTimeField(editable=False)),
                ("changed_at", models.DateTimeField(editable=False)),
                ("history_change_reason", models.TextField(default="")),
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
            ],
            options={
                "verbose_name": "historical webhook endpoint",
                "verbose_name_plural": "historical webhook endpoints",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
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
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("url", models.CharField(max_length=500)),
                (
                    "topics",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=48), default=list, size=None
                    ),
                ),
                (
                    "channel_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), default=list, size=None
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("enabled", "Enabled"),
                            ("disabled", "Disabled"),
                            ("removed", "Removed"),
                        ],
                        default="enabled",
                        editable=False,
                        max_length=8,
                    ),
                ),
                ("reason", models.CharField(default="", editable=False, max_length=200)),
                (
                    "key",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.subjectkey",
                    ),
                ),
                ("sealed", models.BinaryField()),
                ("hint", models.CharField(default="", editable=False, max_length=8)),
                ("failing_since", models.DateTimeField(editable=False, null=True)),
                ("last_delivered_at", models.DateTimeField(editable=False, null=True)),
                ("created_at", models.DateTimeField(editable=False)),
                ("changed_at", models.DateTimeField(editable=False)),
            ],
            options={
                "verbose_name": "webhook endpoint",
                "indexes": [
                    models.Index(fields=["account", "-id"], name="webhook_endpoint_recent")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["enabled", "disabled", "removed"])),
                        name="webhook_endpoint_state_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
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
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="integrations.webhookendpoint",
                    ),
                ),
                ("event_id", models.UUIDField()),
                ("topic", models.CharField(max_length=48)),
                ("subject_kind", models.CharField(max_length=32)),
                ("subject_id", models.UUIDField()),
                ("thread_id", models.UUIDField(null=True)),
                ("payload", models.JSONField()),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("delivered", "Delivered"),
                            ("failed", "Failed"),
                            ("kept", "Kept while the endpoint is disabled"),
                        ],
                        default="waiting",
                        editable=False,
                        max_length=9,
                    ),
                ),
                ("reason", models.CharField(default="", max_length=200)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("rounds", models.PositiveSmallIntegerField(default=1)),
                ("at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("clock_timestamp()", ())
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook delivery",
                "indexes": [
                    models.Index(fields=["endpoint", "-id"], name="webhook_recent"),
                    models.Index(fields=["thread_id"], name="webhook_thread"),
                    models.Index(
                        models.F("endpoint"),
                        models.F("id"),
                        condition=models.Q(("state", "delivered"), _negated=True),
                        name="webhook_not_delivered",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("endpoint", "event_id"), name="webhook_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["waiting", "delivered", "failed", "kept"])
                        ),
                        name="webhook_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookAttempt",
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
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tries",
                        to="integrations.webhookdelivery",
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("round", models.PositiveSmallIntegerField(default=1)),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("error", models.CharField(default="", max_length=200)),
                ("request_headers", models.JSONField(default=dict)),
                ("response_headers", models.JSONField(default=dict)),
                ("response_body", models.CharField(default="", max_length=1000)),
                ("milliseconds", models.PositiveIntegerField(default=0)),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("clock_timestamp()", ())
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook attempt",
            },
        ),
    ]

"""What is written to buyers."""

import config.kernel.fsm
import config.kernel.ids
import config.kernel.operations
import django.db.models.deletion
import django.db.models.expressions
import simple_history.models
from django.db import migrations, models


class Migration(config.kernel.operations.RenderedOnce):
    dependencies = [
        ("integrations", "0003_carriers"),
        ("kernel", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalBrandVoice",
            fields=[
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=120)),
                ("correlation_id", models.CharField(default="", max_length=64)),
                ("history_at", models.DateTimeField()),
                ("display_name", models.CharField(blank=True, default="", max_length=80)),
                ("from_address", models.EmailField(blank=True, default="", max_length=254)),
                ("reply_to", models.EmailField(blank=True, default="", max_length=254)),
                ("language", models.CharField(blank=True, default="", max_length=5)),
                (
                    "template",
                    models.SlugField(blank=True, db_index=False, default="", max_length=32),
                ),
                (
                    "color",
                    models.CharField(
                        blank=True, default="", help_text="Of buttons, as #rrggbb.", max_length=7
                    ),
                ),
                ("help_email", models.EmailField(blank=True, default="", max_length=254)),
                ("help_phone", models.CharField(blank=True, default="", max_length=32)),
                ("help_url", models.URLField(blank=True, default="", max_length=255)),
                (
                    "imprint",
                    models.TextField(
                        blank=True, default="", help_text="Stands below every message."
                    ),
                ),
                ("history_change_reason", models.TextField(default="")),
                (
                    "brand",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="kernel.brand",
                        verbose_name="brand",
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
                "verbose_name": "historical brand voice",
                "verbose_name_plural": "historical brand voices",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="BrandVoice",
            fields=[
                (
                    "brand",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="kernel.brand",
                        verbose_name="brand",
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
                ("display_name", models.CharField(blank=True, default="", max_length=80)),
                ("from_address", models.EmailField(blank=True, default="", max_length=254)),
                ("reply_to", models.EmailField(blank=True, default="", max_length=254)),
                ("language", models.CharField(blank=True, default="", max_length=5)),
                (
                    "template",
                    models.SlugField(blank=True, db_index=False, default="", max_length=32),
                ),
                (
                    "color",
                    models.CharField(
                        blank=True, default="", help_text="Of buttons, as #rrggbb.", max_length=7
                    ),
                ),
                ("help_email", models.EmailField(blank=True, default="", max_length=254)),
                ("help_phone", models.CharField(blank=True, default="", max_length=32)),
                ("help_url", models.URLField(blank=True, default="", max_length=255)),
                (
                    "imprint",
                    models.TextField(
                        blank=True, default="", help_text="Stands below every message."
                    ),
                ),
            ],
            options={
                "verbose_name": "brand voice",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("color", ""), ("color__regex", "^#[0-9a-fA-F]{6}$"), _connector="OR"
                        ),
                        name="voice_color_is_hex",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BuyerMessage",
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
                    "brand",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.brand",
                    ),
                ),
                ("order_id", models.UUIDField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("received", "Order received"),
                            ("shipped", "Parcel shipped"),
                            ("delayed", "Delayed"),
                            ("ready", "Ready for pickup"),
                            ("delivered", "Parcel delivered"),
                            ("cancelled", "Items cancelled"),
                            ("refunded", "Refunded"),
                            ("payment", "Payment asked for"),
                            ("choice", "Pickup to be chosen anew"),
                        ],
                        max_length=12,
                    ),
                ),
                ("fact", models.CharField(max_length=80)),
                ("event_id", models.UUIDField()),
                ("language", models.CharField(max_length=5)),
                ("template", models.CharField(max_length=120)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("waiting", "Waiting to be sent"),
                            ("sent", "Sent"),
                            ("unconfirmed", "Perhaps sent"),
                            ("failed", "Not sent"),
                            ("silent", "Nobody to write to"),
                        ],
                        default="waiting",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(default="", max_length=200)),
                ("rounds", models.PositiveSmallIntegerField(default=1)),
                (
                    "sealed_with",
                    models.UUIDField(help_text="Key of the person it is written to.", null=True),
                ),
                ("sealed", models.BinaryField(default=b"")),
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
                "verbose_name": "message to the buyer",
                "indexes": [
                    models.Index(fields=["order_id", "id"], name="buyer_message_order"),
                    models.Index(fields=["account", "-id"], name="buyer_message_recent"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "fact"), name="buyer_message_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "received",
                                    "shipped",
                                    "delayed",
                                    "ready",
                                    "delivered",
                                    "cancelled",
                                    "refunded",
                                    "payment",
                                    "choice",
                                ],
                            )
                        ),
                        name="buyer_message_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["waiting", "sent", "unconfirmed", "failed", "silent"])
                        ),
                        name="buyer_message_state_known",
                    ),
                ],
            },
        ),
    ]

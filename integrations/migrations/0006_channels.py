import django.db.models.deletion
from django.db import migrations, models

import config.kernel.fsm
import config.kernel.ids
import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):
    dependencies = [
        ("integrations", "0005_webhooks"),
        ("kernel", "0002_intent_queue"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChannelCopy",
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
                            ("order", "The order"),
                            ("acknowledgement", "Acknowledgement"),
                            ("fulfillment", "Fulfillment"),
                            ("cancel", "Cancellation"),
                            ("refund", "Refund"),
                            ("stock", "Stock figure"),
                        ],
                        max_length=16,
                    ),
                ),
                ("our_id", models.UUIDField()),
                ("order_id", models.UUIDField(null=True)),
                ("their_id", models.CharField(default="", max_length=64)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("waiting", "To be sent"),
                            ("same", "As it should be"),
                            ("refused", "Refused there"),
                            ("different", "Different there"),
                            ("missing", "Missing there"),
                            ("told", "Told by the channel"),
                        ],
                        default="waiting",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("wanted", models.JSONField(default=dict)),
                ("wanted_hash", models.CharField(default="", max_length=32)),
                ("sent_hash", models.CharField(default="", max_length=32)),
                ("asked", models.BooleanField(default=False)),
                ("round", models.PositiveSmallIntegerField(default=0)),
                ("version", models.CharField(default="", max_length=40)),
                ("failure", models.CharField(default="", max_length=255)),
                ("wanted_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("seen_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="integrations.connection",
                    ),
                ),
            ],
            options={
                "verbose_name": "channel copy",
                "verbose_name_plural": "channel copies",
                "indexes": [
                    models.Index(fields=["order_id", "id"], name="channel_copy_of_order"),
                    models.Index(
                        models.F("connection"),
                        models.F("id"),
                        condition=models.Q(("state", "waiting")),
                        name="channel_copy_waiting",
                    ),
                    models.Index(
                        models.F("connection"),
                        models.F("id"),
                        condition=models.Q(("state__in", ["refused", "different", "missing"])),
                        name="channel_copy_differs",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("connection", "kind", "our_id"), name="channel_copy_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "order",
                                    "acknowledgement",
                                    "fulfillment",
                                    "cancel",
                                    "refund",
                                    "stock",
                                ],
                            )
                        ),
                        name="channel_copy_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["waiting", "same", "refused", "different", "missing", "told"],
                            )
                        ),
                        name="channel_copy_state_known",
                    ),
                ],
            },
        ),
    ]

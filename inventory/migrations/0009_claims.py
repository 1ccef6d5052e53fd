from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

import config.kernel.ids
import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):
    dependencies: ClassVar = [("inventory", "0008_feeds")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="CartHold",
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
                ("cart", models.CharField(max_length=64)),
                (
                    "minutes",
                    models.PositiveSmallIntegerField(
                        help_text="How long it holds, and is extended by."
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                ("extended", models.PositiveSmallIntegerField(default=0)),
                ("at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                ("close_reason", models.CharField(blank=True, default="", max_length=16)),
                ("taken_by", models.UUIDField(null=True)),
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
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.channel",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at", None)),
                        fields=["expires_at"],
                        name="cart_hold_due",
                    ),
                    models.Index(fields=["channel", "cart", "-at"], name="cart_hold_of_cart"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at", None)),
                        fields=("channel", "cart"),
                        name="cart_hold_open_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("at")), ("minutes__gt", 0)),
                        name="cart_hold_lasts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("taken_by", None), ("closed_at__isnull", False), _connector="OR"
                        ),
                        name="cart_hold_taken_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InboundSlip",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("was_eta_at", models.DateTimeField()),
                ("eta_at", models.DateTimeField()),
                ("source", models.CharField(max_length=64)),
                ("reason", models.CharField(blank=True, default="", max_length=200)),
                ("actor_name", models.CharField(default="", max_length=120)),
                ("at", models.DateTimeField()),
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
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="slips",
                        to="inventory.inboundline",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("eta_at", models.F("was_eta_at")), _negated=True),
                        name="inbound_slip_changes",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="inbound", name="event_seq", field=models.BigIntegerField(default=0)
        ),
    ]

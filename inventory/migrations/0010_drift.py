from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

import config.kernel.ids
import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):
    dependencies: ClassVar = [("inventory", "0009_claims")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="DriftWatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=32, unique=True)),
                ("after", models.BigIntegerField(default=0)),
                ("size", models.IntegerField(default=1_000)),
                ("round", models.BigIntegerField(default=1)),
                ("begun_at", models.DateTimeField()),
                ("looked_at", models.DateTimeField()),
                ("checked", models.BigIntegerField(default=0)),
                ("found", models.BigIntegerField(default=0)),
                ("last_begun_at", models.DateTimeField(null=True)),
                ("last_ended_at", models.DateTimeField(null=True)),
                ("last_checked", models.BigIntegerField(default=0)),
                ("last_found", models.BigIntegerField(default=0)),
                ("too_slow", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("size__gt", 0)), name="drift_watch_size"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StockDrift",
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
                            ("on_hand", "On hand and the ledger"),
                            ("sellable", "Sellable and its levels"),
                            ("reserved", "Reserved and its reservations"),
                            ("shortfall", "Shortfall, reserved and sellable"),
                            ("shortfall_work", "Shortfall and its open work"),
                            ("landed_work", "Units set aside and their open work"),
                        ],
                        max_length=16,
                    ),
                ),
                ("found", models.BigIntegerField()),
                ("expected", models.BigIntegerField()),
                ("evidence", models.JSONField(default=dict)),
                ("seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                ("repaired_by", models.CharField(default="", max_length=64)),
                ("repaired_by_name", models.CharField(default="", max_length=120)),
                ("movement_id", models.UUIDField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "level",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.stocklevel",
                    ),
                ),
                (
                    "position",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.stockposition",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "-id"], name="drift_by_account")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at", None)),
                        fields=("position", "kind", "level"),
                        name="drift_open_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "on_hand",
                                    "sellable",
                                    "reserved",
                                    "shortfall",
                                    "shortfall_work",
                                    "landed_work",
                                ],
                            )
                        ),
                        name="drift_kind_known",
                    ),
                ],
            },
        ),
    ]

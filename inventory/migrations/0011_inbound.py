from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

import config.kernel.operations

_SUPPLIER = "Who sends it, by a code of ours; empty where nobody has said so."


def _id() -> models.BigAutoField:
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


class Migration(config.kernel.operations.RenderedOnce):
    dependencies: ClassVar = [("inventory", "0010_drift"), ("kernel", "0001_initial")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="AheadCap",
            fields=[
                ("id", _id()),
                ("units", models.BigIntegerField()),
                ("used", models.BigIntegerField(default=0)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("note", models.CharField(blank=True, default="", max_length=200)),
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
                (
                    "sku",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ahead_caps",
                        to="inventory.sku",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("channel", "sku"), name="ahead_cap_once"),
                    models.CheckConstraint(
                        condition=models.Q(("units__gte", 0), ("used__gte", 0)),
                        name="ahead_cap_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SupplyLane",
            fields=[
                ("id", _id()),
                ("supplier", models.CharField(max_length=64)),
                ("declared_hours", models.IntegerField(blank=True, null=True)),
                ("seen", models.IntegerField(default=0)),
                ("median_hours", models.IntegerField(blank=True, null=True)),
                ("p90_hours", models.IntegerField(blank=True, null=True)),
                ("learnt_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "supplier", "node"),
                        name="supply_lane_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("seen__gte", 0),
                            models.Q(
                                ("declared_hours__isnull", True),
                                ("declared_hours__gte", 0),
                                _connector="OR",
                            ),
                        ),
                        name="supply_lane_counts",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Backing",
            fields=[
                ("reservation_id", models.UUIDField(primary_key=True, serialize=False)),
                ("ready_by", models.DateTimeField(null=True)),
                (
                    "line",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="backings",
                        to="inventory.inboundline",
                    ),
                ),
                (
                    "cap",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="backings",
                        to="inventory.aheadcap",
                    ),
                ),
            ],
        ),
        *(
            migrations.AddField(model_name=name, name=field, field=column)
            for name in ("inbound", "historicalinbound")
            for field, column in (
                (
                    "supplier",
                    models.CharField(blank=True, default="", help_text=_SUPPLIER, max_length=64),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("close_reason", models.CharField(blank=True, default="", max_length=200)),
            )
        ),
        migrations.AddField(
            model_name="inboundline", name="advised", field=models.BigIntegerField(default=0)
        ),
        migrations.AddField(
            model_name="inboundline",
            name="ahead_percent",
            field=models.SmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="inboundline",
            name="completed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="inboundline",
            name="first_eta_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="inboundline",
            name="of_line",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notices",
                to="inventory.inboundline",
            ),
        ),
        migrations.AddField(
            model_name="inboundline", name="sold_ahead", field=models.BigIntegerField(default=0)
        ),
        migrations.AddIndex(
            model_name="inboundline",
            index=models.Index(
                condition=models.Q(("completed_at__isnull", False)),
                fields=["completed_at"],
                name="inbound_line_completed",
            ),
        ),
        migrations.AddConstraint(
            model_name="inboundline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("advised__gte", 0),
                    ("sold_ahead__gte", 0),
                    models.Q(
                        ("ahead_percent__isnull", True),
                        models.Q(("ahead_percent__gte", 0), ("ahead_percent__lte", 100)),
                        _connector="OR",
                    ),
                ),
                name="inbound_line_ahead",
            ),
        ),
    ]

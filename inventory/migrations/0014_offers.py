from typing import ClassVar

import django.contrib.postgres.fields
import django.db.models.deletion
import simple_history.models
from django.db import migrations, models

import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):
    dependencies: ClassVar = [
        ("inventory", "0013_consigned"),
        ("kernel", "0003_invariant_checks"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="historicalservicelevel",
            name="refuses",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("hazmat", "Dangerous goods"),
                        ("lot_tracking", "Lots"),
                        ("serial_tracking", "Serial numbers"),
                        ("break_case", "Opens cases"),
                        ("break_pallet", "Opens pallets"),
                        ("gift_wrap", "Gift wrap"),
                        ("engraving", "Engraving"),
                        ("cold_chain", "Cold chain"),
                        ("oversize", "Oversize goods"),
                        ("same_day", "Same-day dispatch"),
                        ("age_check", "Checks ages"),
                    ],
                    max_length=16,
                ),
                blank=True,
                default=list,
                help_text="Goods that it does not carry, by what a node must be able to do to send them.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="servicelevel",
            name="refuses",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("hazmat", "Dangerous goods"),
                        ("lot_tracking", "Lots"),
                        ("serial_tracking", "Serial numbers"),
                        ("break_case", "Opens cases"),
                        ("break_pallet", "Opens pallets"),
                        ("gift_wrap", "Gift wrap"),
                        ("engraving", "Engraving"),
                        ("cold_chain", "Cold chain"),
                        ("oversize", "Oversize goods"),
                        ("same_day", "Same-day dispatch"),
                        ("age_check", "Checks ages"),
                    ],
                    max_length=16,
                ),
                blank=True,
                default=list,
                help_text="Goods that it does not carry, by what a node must be able to do to send them.",
                size=None,
            ),
        ),
        migrations.CreateModel(
            name="HistoricalSupplierOffer",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=120)),
                ("correlation_id", models.CharField(default="", max_length=64)),
                ("history_at", models.DateTimeField()),
                ("unit_cost_minor", models.BigIntegerField()),
                ("own_cost_minor", models.BigIntegerField(blank=True, null=True)),
                ("currency", models.CharField(max_length=3)),
                ("lead_days", models.PositiveSmallIntegerField(default=0)),
                ("least_units", models.PositiveIntegerField(default=1)),
                ("valid_from", models.DateField()),
                ("valid_until", models.DateField(blank=True, null=True)),
                ("source", models.CharField(blank=True, default="", max_length=64)),
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
                (
                    "sku",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="inventory.sku",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical supplier offer",
                "verbose_name_plural": "historical supplier offers",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="SupplierOffer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("unit_cost_minor", models.BigIntegerField()),
                ("own_cost_minor", models.BigIntegerField(blank=True, null=True)),
                ("currency", models.CharField(max_length=3)),
                ("lead_days", models.PositiveSmallIntegerField(default=0)),
                ("least_units", models.PositiveIntegerField(default=1)),
                ("valid_from", models.DateField()),
                ("valid_until", models.DateField(blank=True, null=True)),
                ("source", models.CharField(blank=True, default="", max_length=64)),
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
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.node",
                    ),
                ),
                (
                    "sku",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventory.sku",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("node", "sku", "valid_from"), name="supplier_offer_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("least_units__gte", 1),
                            ("unit_cost_minor__gte", 0),
                            models.Q(
                                ("own_cost_minor", None),
                                ("own_cost_minor__gte", 0),
                                _connector="OR",
                            ),
                        ),
                        name="supplier_offer_amounts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_until", None),
                            ("valid_until__gte", models.F("valid_from")),
                            _connector="OR",
                        ),
                        name="supplier_offer_period",
                    ),
                ],
            },
        ),
    ]

"""What SKUs say of themselves, packs, barcodes of GS1, substitutes, and files of supply."""

import django.db.models.deletion
import simple_history.models
from django.db import migrations, models

import config.kernel.fsm
import config.kernel.ids
import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):
    dependencies = [
        ("kernel", "0001_initial"),
        ("inventory", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="barcode",
            name="gtin",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=14
            ),
        ),
        migrations.AddField(
            model_name="barcode",
            name="kind",
            field=models.CharField(
                choices=[("gtin", "GTIN"), ("internal", "Internal")],
                db_default="internal",
                default="internal",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="historicalbarcode",
            name="gtin",
            field=models.CharField(blank=True, default="", editable=False, max_length=14),
        ),
        migrations.AddField(
            model_name="historicalbarcode",
            name="kind",
            field=models.CharField(
                choices=[("gtin", "GTIN"), ("internal", "Internal")],
                default="internal",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="historicalsku",
            name="hazard_class",
            field=models.CharField(blank=True, default="", max_length=4),
        ),
        migrations.AddField(
            model_name="historicalsku",
            name="hs_code",
            field=models.CharField(blank=True, default="", max_length=10),
        ),
        migrations.AddField(
            model_name="historicalsku",
            name="lifecycle",
            field=config.kernel.fsm.StateField(
                choices=[
                    ("planned", "Planned"),
                    ("active", "Active"),
                    ("phasing_out", "Phasing out"),
                    ("discontinued", "Discontinued"),
                ],
                default="active",
                editable=False,
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="historicalsku",
            name="limited_quantity",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="historicalsku",
            name="origin_country",
            field=models.CharField(blank=True, default="", max_length=2),
        ),
        migrations.AddField(
            model_name="historicalsku",
            name="packing_group",
            field=models.CharField(blank=True, default="", max_length=3),
        ),
        migrations.AddField(
            model_name="historicalsku",
            name="returnable",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="historicalsku",
            name="sell_through",
            field=models.BooleanField(
                default=True, help_text="Once discontinued, what is left is still sold."
            ),
        ),
        migrations.AddField(
            model_name="historicalsku",
            name="shelf_life_days",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="historicalsku",
            name="storage",
            field=models.CharField(
                choices=[
                    ("ambient", "Ambient"),
                    ("chilled", "Chilled (2 to 8 °C)"),
                    ("frozen", "Frozen (−18 °C or less)"),
                ],
                default="ambient",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="historicalsku",
            name="un_number",
            field=models.CharField(blank=True, default="", max_length=4),
        ),
        migrations.AddField(
            model_name="sku",
            name="hazard_class",
            field=models.CharField(blank=True, db_default="", default="", max_length=4),
        ),
        migrations.AddField(
            model_name="sku",
            name="hs_code",
            field=models.CharField(blank=True, db_default="", default="", max_length=10),
        ),
        migrations.AddField(
            model_name="sku",
            name="lifecycle",
            field=config.kernel.fsm.StateField(
                choices=[
                    ("planned", "Planned"),
                    ("active", "Active"),
                    ("phasing_out", "Phasing out"),
                    ("discontinued", "Discontinued"),
                ],
                default="active",
                editable=False,
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="sku",
            name="limited_quantity",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="sku",
            name="origin_country",
            field=models.CharField(blank=True, db_default="", default="", max_length=2),
        ),
        migrations.AddField(
            model_name="sku",
            name="packing_group",
            field=models.CharField(blank=True, db_default="", default="", max_length=3),
        ),
        migrations.AddField(
            model_name="sku",
            name="returnable",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name="sku",
            name="sell_through",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Once discontinued, what is left is still sold.",
            ),
        ),
        migrations.AddField(
            model_name="sku",
            name="shelf_life_days",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="sku",
            name="storage",
            field=models.CharField(
                choices=[
                    ("ambient", "Ambient"),
                    ("chilled", "Chilled (2 to 8 °C)"),
                    ("frozen", "Frozen (−18 °C or less)"),
                ],
                db_default="ambient",
                default="ambient",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="sku",
            name="un_number",
            field=models.CharField(blank=True, db_default="", default="", max_length=4),
        ),
        migrations.AlterField(
            model_name="historicalsku",
            name="active",
            field=models.BooleanField(default=True, editable=False),
        ),
        migrations.AlterField(
            model_name="historicalsku",
            name="hazmat",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AlterField(
            model_name="sku",
            name="active",
            field=models.BooleanField(default=True, editable=False),
        ),
        migrations.AlterField(
            model_name="sku",
            name="hazmat",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.CreateModel(
            name="SkuPack",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("each", "Each"),
                            ("inner", "Inner pack"),
                            ("case", "Case"),
                            ("pallet", "Pallet"),
                        ],
                        max_length=8,
                    ),
                ),
                ("units", models.PositiveIntegerField()),
                ("weight_grams", models.PositiveIntegerField(default=0)),
                ("length_mm", models.PositiveIntegerField(default=0)),
                ("width_mm", models.PositiveIntegerField(default=0)),
                ("height_mm", models.PositiveIntegerField(default=0)),
                (
                    "breakable",
                    models.BooleanField(
                        default=True, help_text="It may be opened, at nodes that open such packs."
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
                    "sku",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="packs",
                        to="inventory.sku",
                    ),
                ),
                (
                    "sold_as",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sells_packs",
                        to="inventory.sku",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("sku", "level"), name="sku_pack_once"),
                    models.CheckConstraint(
                        condition=models.Q(("level__in", ["each", "inner", "case", "pallet"])),
                        name="sku_pack_level_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("level", "each"), ("units", 1)),
                            models.Q(models.Q(("level", "each"), _negated=True), ("units__gt", 0)),
                            _connector="OR",
                        ),
                        name="sku_pack_units",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Substitute",
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
                ("rank", models.PositiveSmallIntegerField(default=1)),
                ("ratio", models.PositiveIntegerField(default=1)),
                ("both_ways", models.BooleanField(default=False)),
                ("needs_consent", models.BooleanField(default=True)),
                (
                    "price_rule",
                    models.CharField(
                        choices=[
                            ("keep", "As sold"),
                            ("lower", "The lower of the two"),
                            ("own", "Its own price"),
                        ],
                        default="lower",
                        max_length=8,
                    ),
                ),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("approved", "Approved"),
                            ("retired", "Retired"),
                        ],
                        default="proposed",
                        editable=False,
                        max_length=12,
                    ),
                ),
                (
                    "approved_by",
                    models.CharField(blank=True, default="", editable=False, max_length=120),
                ),
                ("approved_at", models.DateTimeField(editable=False, null=True)),
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
                    "sku",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="substitutes",
                        to="inventory.sku",
                    ),
                ),
                (
                    "substitute",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stands_in_for",
                        to="inventory.sku",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "state"], name="substitute_by_state")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("sku", "substitute", "channel"),
                        name="substitute_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["proposed", "approved", "retired"])),
                        name="substitute_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("price_rule__in", ["keep", "lower", "own"])),
                        name="substitute_price_rule_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sku", models.F("substitute")), _negated=True),
                        name="substitute_not_of_itself",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ratio", 1),
                            models.Q(("both_ways", False), ("ratio__gt", 1)),
                            _connector="OR",
                        ),
                        name="substitute_ratio",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at", None),
                            ("starts_at", None),
                            ("ends_at__gt", models.F("starts_at")),
                            _connector="OR",
                        ),
                        name="substitute_ends_after_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "approved"), _negated=True),
                            ("approved_at__isnull", False),
                            _connector="OR",
                        ),
                        name="substitute_approved_by",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SupplyImport",
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
                ("kind", models.CharField(max_length=32)),
                ("file_name", models.CharField(max_length=255)),
                ("header", models.JSONField(default=list)),
                ("rows", models.PositiveIntegerField(default=0)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("received", "Received"),
                            ("checking", "Being checked"),
                            ("checked", "Checked"),
                            ("applying", "Being applied"),
                            ("applied", "Applied"),
                        ],
                        default="received",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("counts", models.JSONField(default=dict)),
                ("job_id", models.UUIDField(null=True)),
                ("received_at", models.DateTimeField()),
                ("received_by", models.CharField(max_length=120)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "-id"], name="supply_import_recent")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["received", "checking", "checked", "applying", "applied"],
                            )
                        ),
                        name="supply_import_state_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SupplyImportPart",
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
                ("first_row", models.PositiveIntegerField()),
                ("cells", models.JSONField()),
                ("told", models.JSONField(null=True)),
                (
                    "of",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="inventory.supplyimport",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("of", "first_row"), name="supply_import_part_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalSkuPack",
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
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("each", "Each"),
                            ("inner", "Inner pack"),
                            ("case", "Case"),
                            ("pallet", "Pallet"),
                        ],
                        max_length=8,
                    ),
                ),
                ("units", models.PositiveIntegerField()),
                ("weight_grams", models.PositiveIntegerField(default=0)),
                ("length_mm", models.PositiveIntegerField(default=0)),
                ("width_mm", models.PositiveIntegerField(default=0)),
                ("height_mm", models.PositiveIntegerField(default=0)),
                (
                    "breakable",
                    models.BooleanField(
                        default=True, help_text="It may be opened, at nodes that open such packs."
                    ),
                ),
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
                (
                    "sold_as",
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
                "verbose_name": "historical sku pack",
                "verbose_name_plural": "historical sku packs",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            model_name="historicalskupack",
            column="history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly(
            model_name="historicalskupack",
        ),
        migrations.CreateModel(
            name="HistoricalSubstitute",
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
                ("rank", models.PositiveSmallIntegerField(default=1)),
                ("ratio", models.PositiveIntegerField(default=1)),
                ("both_ways", models.BooleanField(default=False)),
                ("needs_consent", models.BooleanField(default=True)),
                (
                    "price_rule",
                    models.CharField(
                        choices=[
                            ("keep", "As sold"),
                            ("lower", "The lower of the two"),
                            ("own", "Its own price"),
                        ],
                        default="lower",
                        max_length=8,
                    ),
                ),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("approved", "Approved"),
                            ("retired", "Retired"),
                        ],
                        default="proposed",
                        editable=False,
                        max_length=12,
                    ),
                ),
                (
                    "approved_by",
                    models.CharField(blank=True, default="", editable=False, max_length=120),
                ),
                ("approved_at", models.DateTimeField(editable=False, null=True)),
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
                (
                    "substitute",
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
                "verbose_name": "historical substitute",
                "verbose_name_plural": "historical substitutes",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            model_name="historicalsubstitute",
            column="history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly(
            model_name="historicalsubstitute",
        ),
        migrations.AddField(
            model_name="barcode",
            name="pack",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="barcodes",
                to="inventory.skupack",
            ),
        ),
        migrations.AddField(
            model_name="historicalbarcode",
            name="pack",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="inventory.skupack",
            ),
        ),
        migrations.AddConstraint(
            model_name="sku",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("lifecycle__in", ["planned", "active", "phasing_out", "discontinued"]),
                    ("storage__in", ["ambient", "chilled", "frozen"]),
                ),
                name="sku_words_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="sku",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("un_number", ""),
                    models.Q(
                        ("un_number__regex", "^\\d{4}$"),
                        models.Q(("hazard_class", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="sku_hazard_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="sku",
            constraint=models.CheckConstraint(
                condition=models.Q(("packing_group__in", ["", "I", "II", "III"])),
                name="sku_packing_group",
            ),
        ),
        migrations.AddConstraint(
            model_name="sku",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("origin_country", ""), ("origin_country__regex", "^[A-Z]{2}$"), _connector="OR"
                ),
                name="sku_origin_country",
            ),
        ),
        migrations.AddConstraint(
            model_name="sku",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("hs_code", ""), ("hs_code__regex", "^\\d{6,10}$"), _connector="OR"
                ),
                name="sku_hs_code",
            ),
        ),
        migrations.AddConstraint(
            model_name="barcode",
            constraint=models.UniqueConstraint(
                condition=models.Q(("gtin", ""), _negated=True),
                fields=("account", "gtin"),
                name="barcode_gtin_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="barcode",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("gtin", ""), ("kind", "internal")),
                    models.Q(("gtin__regex", "^\\d{14}$"), ("kind", "gtin")),
                    _connector="OR",
                ),
                name="barcode_kind",
            ),
        ),
    ]

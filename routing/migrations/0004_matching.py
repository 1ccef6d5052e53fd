import django.db.models.deletion
import simple_history.models
from django.db import migrations, models

import config.kernel.ids
import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):
    dependencies = [
        ("kernel", "0003_invariant_checks"),
        ("routing", "0003_quotes"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReplanWish",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="kernel.account",
                    ),
                ),
                ("causes", models.JSONField(default=list)),
                ("since", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="AcceptanceRate",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("node_id", models.BigIntegerField()),
                ("goods", models.SlugField(max_length=40)),
                ("asked", models.FloatField(default=0)),
                ("rejected", models.FloatField(default=0)),
                ("counted_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("node_id", "goods"), name="acceptance_once"),
                    models.CheckConstraint(
                        condition=models.Q(("asked__gte", 0), ("rejected__gte", 0)),
                        name="acceptance_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FullNode",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("node_id", models.BigIntegerField()),
                ("function", models.CharField(max_length=12)),
                ("until", models.DateTimeField()),
                ("reason", models.CharField(max_length=80)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("node_id", "function"), name="full_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalRejectionRule",
            fields=[
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=120)),
                ("correlation_id", models.CharField(default="", max_length=64)),
                ("history_at", models.DateTimeField()),
                ("id", models.BigIntegerField(blank=True, db_index=True)),
                ("reason", models.SlugField(db_index=False, max_length=24)),
                (
                    "variance",
                    models.CharField(
                        choices=[
                            ("none", "They are there"),
                            ("short", "They are not there"),
                            ("damaged", "They are there and may not be sold"),
                        ],
                        default="none",
                        max_length=8,
                    ),
                ),
                (
                    "sku_hours",
                    models.PositiveSmallIntegerField(
                        default=24, help_text="How long the SKU is not sourced at the node."
                    ),
                ),
                (
                    "node_hours",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="How long the node gets no new work of this kind."
                    ),
                ),
                (
                    "next_step",
                    models.CharField(
                        choices=[
                            ("source", "Send from elsewhere"),
                            ("buyer", "Ask the buyer"),
                            ("hold", "Hold for a person"),
                            ("cancel", "Cancel"),
                        ],
                        default="source",
                        max_length=8,
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
            ],
            options={
                "verbose_name": "historical rejection rule",
                "verbose_name_plural": "historical rejection rules",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="PriceBook",
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
                ("currency", models.CharField(max_length=3)),
                ("made_at", models.DateTimeField()),
                ("days_recorded", models.PositiveIntegerField()),
                ("orders_recorded", models.PositiveIntegerField()),
                ("days_ahead", models.PositiveSmallIntegerField()),
                ("scenes", models.PositiveSmallIntegerField()),
                ("seed", models.BigIntegerField()),
                ("skus", models.PositiveIntegerField()),
                ("nodes", models.PositiveIntegerField()),
                ("error_permille", models.PositiveSmallIntegerField()),
                ("usual_minor", models.BigIntegerField()),
                ("took_ms", models.PositiveIntegerField()),
                ("parcels", models.JSONField(default=list)),
                ("versions", models.JSONField(default=dict)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "-made_at"], name="book_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("error_permille__lte", 1000)),
                        name="book_error_is_a_share",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RejectionRule",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("reason", models.SlugField(max_length=24)),
                (
                    "variance",
                    models.CharField(
                        choices=[
                            ("none", "They are there"),
                            ("short", "They are not there"),
                            ("damaged", "They are there and may not be sold"),
                        ],
                        default="none",
                        max_length=8,
                    ),
                ),
                (
                    "sku_hours",
                    models.PositiveSmallIntegerField(
                        default=24, help_text="How long the SKU is not sourced at the node."
                    ),
                ),
                (
                    "node_hours",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="How long the node gets no new work of this kind."
                    ),
                ),
                (
                    "next_step",
                    models.CharField(
                        choices=[
                            ("source", "Send from elsewhere"),
                            ("buyer", "Ask the buyer"),
                            ("hold", "Hold for a person"),
                            ("cancel", "Cancel"),
                        ],
                        default="source",
                        max_length=8,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "reason"), name="rejection_rule_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("variance__in", ["none", "short", "damaged"])),
                        name="rejection_variance_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("next_step__in", ["source", "buyer", "hold", "cancel"])
                        ),
                        name="rejection_step_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReplanRun",
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
                ("causes", models.JSONField(default=list)),
                ("currency", models.CharField(max_length=3)),
                ("looked_at", models.PositiveIntegerField(default=0)),
                ("moved", models.PositiveIntegerField(default=0)),
                ("saved_minor", models.BigIntegerField(default=0)),
                ("freight_saved_minor", models.BigIntegerField(default=0)),
                ("refused", models.JSONField(default=dict)),
                ("levels", models.JSONField(default=dict)),
                ("took_ms", models.PositiveIntegerField(default=0)),
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
                    "book",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="routing.pricebook",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "-at"], name="replan_run_newest")],
            },
        ),
        migrations.CreateModel(
            name="ReplanMove",
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
                ("order_id", models.UUIDField()),
                ("group_id", models.UUIDField()),
                ("was", models.CharField(max_length=200)),
                ("now", models.CharField(max_length=200)),
                ("was_minor", models.BigIntegerField()),
                ("now_minor", models.BigIntegerField()),
                ("saved_minor", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="moves",
                        to="routing.replanrun",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["group_id", "at"], name="replan_move_group")],
            },
        ),
        migrations.CreateModel(
            name="StockPrice",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("sku_id", models.BigIntegerField()),
                ("packed", models.BinaryField()),
                (
                    "book",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="routing.pricebook",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("book", "sku_id"), name="price_once")
                ],
            },
        ),
    ]

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import config.kernel.ids
import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):
    dependencies = [
        ("kernel", "0003_invariant_checks"),
        ("routing", "0004_matching"),
    ]

    operations = [
        migrations.CreateModel(
            name="Simulation",
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
                        choices=[("backtest", "Backtest"), ("shadow", "Shadow")], max_length=12
                    ),
                ),
                ("title", models.CharField(max_length=200)),
                ("job_id", models.UUIDField(null=True)),
                ("variants", models.JSONField(default=list)),
                ("sample", models.JSONField(default=dict)),
                ("carried", models.BinaryField(default=b"")),
                ("result", models.JSONField(default=dict)),
                (
                    "reached",
                    models.UUIDField(
                        help_text="The last decision that a shadow has seen.", null=True
                    ),
                ),
                ("asked_by", models.CharField(max_length=120)),
                ("at", models.DateTimeField()),
                ("stopped_at", models.DateTimeField(null=True)),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("clock_timestamp()", ())
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
                    "policy",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="simulations",
                        to="routing.sourcingpolicy",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["backtest", "shadow"])),
                        name="simulation_kind_known",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "shadow"), ("stopped_at__isnull", True)),
                        fields=("policy",),
                        name="simulation_one_shadow",
                    ),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("stopped_at__isnull", True)),
                        fields=["kind"],
                        name="simulation_open",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SimulatedMove",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("variant", models.PositiveSmallIntegerField()),
                ("decision_id", models.UUIDField()),
                ("order_id", models.UUIDField()),
                ("group_id", models.UUIDField()),
                ("at", models.DateTimeField()),
                ("before_from", models.TextField(default="")),
                ("after_from", models.TextField(default="")),
                ("saved_minor", models.BigIntegerField(default=0)),
                (
                    "parcels",
                    models.SmallIntegerField(default=0, help_text="More parcels than before."),
                ),
                (
                    "late_milli",
                    models.BigIntegerField(default=0, help_text="Thousandths of a day later."),
                ),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                (
                    "simulation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="moves",
                        to="routing.simulation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["simulation", "variant", "id"], name="simulated_move_page")
                ],
            },
        ),
        migrations.CreateModel(
            name="Certificate",
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
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("currency", models.CharField(default="USD", max_length=3)),
                ("orders", models.PositiveIntegerField(default=0)),
                (
                    "left_out",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Decisions that pickup, a pin or a missing input kept out.",
                    ),
                ),
                ("live_minor", models.BigIntegerField(default=0)),
                ("bound_minor", models.BigIntegerField(default=0)),
                ("causes", models.JSONField(default=dict)),
                (
                    "examples",
                    models.JSONField(
                        default=dict, help_text="By cause, the orders that cost most."
                    ),
                ),
                ("made_by", models.CharField(max_length=120)),
                ("at", models.DateTimeField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("clock_timestamp()", ())
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
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "starts_at", "ends_at"), name="certificate_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="certificate_period",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="routingdecision",
            index=django.contrib.postgres.indexes.BrinIndex(fields=["at"], name="decision_time"),
        ),
    ]

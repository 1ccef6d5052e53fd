import config.kernel.fsm
import config.kernel.ids
import config.kernel.operations
import django.db.models.deletion
import simple_history.models
from django.db import migrations, models


class Migration(config.kernel.operations.RenderedOnce):
    dependencies = [
        ("kernel", "0001_initial"),
        ("orders", "0002_credits"),
    ]

    operations = [
        migrations.CreateModel(
            name="Dispute",
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
                ("provider", models.CharField(max_length=32)),
                ("reference", models.CharField(max_length=128)),
                ("amount_minor", models.BigIntegerField()),
                ("beyond_minor", models.BigIntegerField(default=0, editable=False)),
                ("reason", models.CharField(default="", max_length=64)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[("opened", "Open"), ("won", "Won"), ("lost", "Lost")],
                        default="opened",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("evidence_due_at", models.DateTimeField(null=True)),
                ("opened_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
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
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="orders.order",
                    ),
                ),
                (
                    "tender",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="orders.tender",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["order"], name="dispute_order"),
                    models.Index(
                        condition=models.Q(("state", "opened")),
                        fields=["tender"],
                        name="dispute_open",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("reference", "account", "provider"), name="dispute_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["opened", "won", "lost"])),
                        name="dispute_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="dispute_amount_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("beyond_minor__gte", 0),
                            ("beyond_minor__lte", models.F("amount_minor")),
                        ),
                        name="dispute_beyond_within",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Chargeback",
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
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
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
                    "dispute",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chargeback",
                        to="orders.dispute",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chargebacks",
                        to="orders.order",
                    ),
                ),
                (
                    "tender",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chargebacks",
                        to="orders.tender",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["order"], name="chargeback_order")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)),
                        name="chargeback_amount_positive",
                    )
                ],
            },
        ),
        config.kernel.operations.AppendOnly("chargeback"),
        migrations.CreateModel(
            name="HistoricalDispute",
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
                ("provider", models.CharField(max_length=32)),
                ("reference", models.CharField(max_length=128)),
                ("amount_minor", models.BigIntegerField()),
                ("beyond_minor", models.BigIntegerField(default=0, editable=False)),
                ("reason", models.CharField(default="", max_length=64)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[("opened", "Open"), ("won", "Won"), ("lost", "Lost")],
                        default="opened",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("evidence_due_at", models.DateTimeField(null=True)),
                ("opened_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
                ("at", models.DateTimeField()),
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
                    "order",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="orders.order",
                    ),
                ),
                (
                    "tender",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="orders.tender",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical dispute",
                "verbose_name_plural": "historical disputes",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.AppendOnly("historicaldispute"),
        migrations.AddField(
            model_name="authorization",
            name="renewal_asked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="authorization",
            name="renewal_failed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="historicalauthorization",
            name="renewal_asked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="historicalauthorization",
            name="renewal_failed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="refund",
            name="source",
            field=models.CharField(
                default="",
                help_text="The authorisation through which it goes back.",
                max_length=128,
            ),
        ),
        migrations.AddField(
            model_name="historicalrefund",
            name="source",
            field=models.CharField(
                default="",
                help_text="The authorisation through which it goes back.",
                max_length=128,
            ),
        ),
        migrations.AddField(
            model_name="tender",
            name="charged_back_minor",
            field=models.BigIntegerField(
                default=0, help_text="Of what was given back, what a bank took for a lost dispute."
            ),
        ),
        migrations.AddIndex(
            model_name="authorization",
            index=models.Index(fields=["reference"], name="authorization_reference"),
        ),
        migrations.AddConstraint(
            model_name="tender",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("charged_back_minor__gte", 0),
                    ("charged_back_minor__lte", models.F("refunded_minor")),
                ),
                name="tender_charged_back_was_refunded",
            ),
        ),
    ]

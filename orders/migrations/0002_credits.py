import config.kernel.ids
import config.kernel.operations
import django.db.models.deletion
from django.db import migrations, models


class Migration(config.kernel.operations.RenderedOnce):
    dependencies = [
        ("kernel", "0001_initial"),
        ("orders", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="CreditNote",
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
                ("cause_kind", models.CharField(max_length=24)),
                ("cause_id", models.UUIDField()),
                ("key", models.CharField(default="", max_length=64)),
                ("amount_minor", models.BigIntegerField()),
                ("carried_minor", models.BigIntegerField(default=0)),
                ("currency", models.CharField(max_length=3)),
                ("reason", models.CharField(default="", max_length=200)),
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
                        related_name="credit_notes",
                        to="orders.order",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["order", "id"], name="credit_note_of_order")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("cause_id", "cause_kind", "key"), name="credit_note_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_minor__gte", 0),
                            ("carried_minor__gte", 0),
                            ("carried_minor__lte", models.F("amount_minor")),
                        ),
                        name="credit_note_amounts",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OrderLink",
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
                        choices=[("sale", "Sale"), ("reship", "Reship"), ("exchange", "Exchange")],
                        max_length=12,
                    ),
                ),
                ("cause_kind", models.CharField(max_length=24)),
                ("cause_id", models.UUIDField()),
                ("parcel_id", models.UUIDField(null=True)),
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
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="origin_link",
                        to="orders.order",
                    ),
                ),
                (
                    "origin",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="followers",
                        to="orders.order",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["origin"], name="order_link_origin")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("cause_id", "cause_kind"), name="order_linked_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["exchange", "reship"])),
                        name="order_link_kind_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditLine",
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
                    "part",
                    models.CharField(
                        choices=[
                            ("item", "Goods"),
                            ("tax", "Tax"),
                            ("discount", "Share of a discount"),
                            ("shipping", "Shipping"),
                            ("fee", "Fee kept"),
                        ],
                        max_length=12,
                    ),
                ),
                ("quantity", models.PositiveIntegerField(default=0)),
                ("amount_minor", models.BigIntegerField()),
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
                    "line",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credits",
                        to="orders.orderline",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.order",
                    ),
                ),
                (
                    "note",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="orders.creditnote",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["order"], name="credit_line_of_order")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("part__in", ["item", "tax", "discount", "shipping", "fee"])
                        ),
                        name="credit_part_known",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="historicalorder",
            name="credit_open_minor",
            field=models.BigIntegerField(
                default=0,
                help_text="Of what was credited, what nobody has been asked to give back yet.",
            ),
        ),
        migrations.AddField(
            model_name="historicalorder",
            name="credited_minor",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="order",
            name="credit_open_minor",
            field=models.BigIntegerField(
                default=0,
                help_text="Of what was credited, what nobody has been asked to give back yet.",
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="credited_minor",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="tender",
            name="carried_minor",
            field=models.BigIntegerField(
                default=0, help_text="Of what it was credited, what pays for another order instead."
            ),
        ),
        migrations.AddField(
            model_name="tender",
            name="credited_minor",
            field=models.BigIntegerField(
                default=0, help_text="Of the order's credit notes, what this tender answers for."
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("credit_open_minor__gt", 0)),
                fields=["id"],
                name="order_credit_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("credit_open_minor__gte", 0),
                    ("credit_open_minor__lte", models.F("credited_minor")),
                ),
                name="order_credit_open_was_credited",
            ),
        ),
        migrations.AddConstraint(
            model_name="tender",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("carried_minor__gte", 0), ("carried_minor__lte", models.F("credited_minor"))
                ),
                name="tender_carried_was_credited",
            ),
        ),
    ]

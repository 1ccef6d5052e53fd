import django.db.models.deletion
from django.db import migrations, models

import config.kernel.ids
import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):
    dependencies = [
        ("fulfillment", "0001_initial"),
        ("integrations", "0002_connections"),
        ("kernel", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeliveryEstimate",
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
                    "first_at",
                    models.DateTimeField(help_text="When it was to come, at first."),
                ),
                (
                    "latest_at",
                    models.DateTimeField(
                        help_text="When it is to come, as the carrier has it now."
                    ),
                ),
                (
                    "told_at",
                    models.DateTimeField(help_text="When the carrier changed its mind last."),
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
                    "parcel",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fulfillment.parcel",
                    ),
                ),
            ],
        ),
    ]

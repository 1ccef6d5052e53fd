"""The quote that a group was ordered by, and the dates beyond which nobody may promise it."""

from typing import ClassVar

from django.db import migrations, models

import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):
    dependencies: ClassVar = [("orders", "0005_promise_ledger")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="deliverygroup",
            name="quote_id",
            field=models.UUIDField(help_text="The quote that the buyer had accepted.", null=True),
        ),
        migrations.AddField(
            model_name="deliverygroup",
            name="quote_option",
            field=models.CharField(default="", max_length=64),
        ),
        migrations.AddField(
            model_name="deliverygroup",
            name="bounds",
            field=models.JSONField(
                default=dict, help_text="Dates beyond which nobody may promise it, by who set them."
            ),
        ),
    ]

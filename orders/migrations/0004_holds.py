from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):
    dependencies: ClassVar = [("inventory", "0009_claims"), ("orders", "0003_disputes")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="order",
            name="cart_hold",
            field=models.ForeignKey(
                db_index=False,
                help_text="What its cart held before it was ordered.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="inventory.carthold",
            ),
        ),
        migrations.AddField(
            model_name="historicalorder",
            name="cart_hold",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                help_text="What its cart held before it was ordered.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="inventory.carthold",
            ),
        ),
    ]

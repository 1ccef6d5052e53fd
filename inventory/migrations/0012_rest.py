from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):
    dependencies: ClassVar = [("inventory", "0011_inbound")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="sku",
            name="event_seq",
            field=models.BigIntegerField(default=0, db_default=0),
        ),
        migrations.AddField(
            model_name="feed",
            name="heal_value_minor",
            field=models.BigIntegerField(
                blank=True,
                help_text="At the selling price; what is worth more waits for a person.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="feed",
            name="heal_sensitive",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Also what is kept by lot or serial, is dangerous, or falls under a law.",
            ),
        ),
        migrations.AddField(
            model_name="historicalfeed",
            name="heal_value_minor",
            field=models.BigIntegerField(
                blank=True,
                help_text="At the selling price; what is worth more waits for a person.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="historicalfeed",
            name="heal_sensitive",
            field=models.BooleanField(
                default=True,
                help_text="Also what is kept by lot or serial, is dangerous, or falls under a law.",
            ),
        ),
        migrations.RemoveConstraint(model_name="nodehaircut", name="node_haircut_once"),
        migrations.AddField(
            model_name="nodehaircut",
            name="account",
            field=models.ForeignKey(
                null=True,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="kernel.account",
            ),
        ),
        migrations.AddConstraint(
            model_name="nodehaircut",
            constraint=models.UniqueConstraint(
                fields=("node", "source", "account"),
                name="node_haircut_once",
                nulls_distinct=False,
            ),
        ),
    ]

from django.db import migrations, models

import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):
    dependencies = [("kernel", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="intent",
            name="queue",
            field=models.CharField(
                db_default="",
                default="",
                help_text="Those of one queue are asked one after another.",
                max_length=160,
            ),
        ),
        migrations.AddField(
            model_name="intent",
            name="behind",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Another of its queue comes first."
            ),
        ),
        migrations.RemoveIndex(model_name="intent", name="intent_due"),
        migrations.AddIndex(
            model_name="intent",
            index=models.Index(
                models.F("due_at"),
                condition=models.Q(
                    ("behind", False), ("state__in", ["pending", "running", "unknown"])
                ),
                name="intent_due",
            ),
        ),
        migrations.AddIndex(
            model_name="intent",
            index=models.Index(
                condition=models.Q(
                    ("state__in", ["pending", "running", "unknown", "dead"]),
                    models.Q(("queue", ""), _negated=True),
                ),
                fields=["queue", "id"],
                name="intent_queue",
            ),
        ),
    ]

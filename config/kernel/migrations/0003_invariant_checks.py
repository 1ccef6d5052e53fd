import uuid

import django.db.models.deletion
from django.db import migrations, models

import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):
    dependencies = [("kernel", "0002_intent_queue")]

    operations = [
        migrations.CreateModel(
            name="InvariantCheck",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("code", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("holds", "Holds"),
                            ("broken", "Broken"),
                            ("too_slow", "Took too long"),
                        ],
                        max_length=12,
                    ),
                ),
                ("found", models.IntegerField(default=0)),
                ("detail", models.TextField(default="")),
                ("spent_ms", models.IntegerField(default=0)),
                ("checked_at", models.DateTimeField()),
                ("held_at", models.DateTimeField(null=True)),
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
                        fields=("account", "code"), name="invariant_check_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["holds", "broken", "too_slow"])),
                        name="invariant_check_state_known",
                    ),
                ],
            },
        ),
    ]

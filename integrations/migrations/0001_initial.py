"""The tables of integrations: bodies and histories only grow, month by month."""

import config.kernel.fsm
import config.kernel.ids
import config.kernel.operations
import django.db.models.deletion
import django.db.models.expressions
import simple_history.models
from django.db import migrations, models


class Migration(config.kernel.operations.RenderedOnce):
    initial = True

    dependencies = [
        ("kernel", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="InboxBody",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("key_id", models.UUIDField()),
                ("sealed", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="HistoricalChannelCredential",
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
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("shopify_webhook", "Shopify webhook signing secret"),
                            ("woocommerce_webhook", "WooCommerce webhook secret"),
                        ],
                        max_length=32,
                    ),
                ),
                ("hint", models.CharField(default="", editable=False, max_length=8)),
                ("changed_at", models.DateTimeField(editable=False)),
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
                    "channel",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="kernel.channel",
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="kernel.subjectkey",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical channel credential",
                "verbose_name_plural": "historical channel credentials",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="ImportRun",
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
                ("format", models.CharField(max_length=24)),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("live", "Live"),
                            ("open", "Open (cutover)"),
                            ("history", "History"),
                        ],
                        max_length=8,
                    ),
                ),
                ("file_name", models.CharField(max_length=255)),
                ("file_sha256", models.CharField(max_length=64)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[("running", "Running"), ("done", "Done"), ("stopped", "Stopped")],
                        default="running",
                        editable=False,
                        max_length=8,
                    ),
                ),
                ("position", models.BigIntegerField(default=0)),
                ("counts", models.JSONField(default=dict)),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("actor_id", models.CharField(max_length=64)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.channel",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("channel", "format", "mode", "file_sha256"), name="import_run_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["running", "done", "stopped"])),
                        name="import_run_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["live", "open", "history"])),
                        name="import_run_mode_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportProblem",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "line",
                    models.BigIntegerField(help_text="Line of the file; the header is line 1."),
                ),
                (
                    "reference",
                    models.CharField(help_text="The order's external id.", max_length=120),
                ),
                ("bucket", models.CharField(max_length=32)),
                ("code", models.CharField(max_length=48)),
                ("detail", models.TextField()),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="problems",
                        to="integrations.importrun",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "line", "code"), name="import_problem_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InboxMessage",
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
                ("source", models.CharField(max_length=64)),
                ("external_id", models.CharField(max_length=255)),
                (
                    "kind",
                    models.CharField(
                        help_text="The sender's topic, such as orders/create.", max_length=48
                    ),
                ),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("received", "Received"),
                            ("applied", "Applied"),
                            ("ignored", "Ignored"),
                            ("dead", "Dead"),
                        ],
                        default="received",
                        editable=False,
                        max_length=8,
                    ),
                ),
                ("code", models.CharField(default="", max_length=48)),
                ("reason", models.TextField(default="")),
                ("attempts", models.SmallIntegerField(default=0)),
                ("subject_kind", models.CharField(default="", max_length=32)),
                ("subject_id", models.UUIDField(null=True)),
                ("thread_id", models.UUIDField(null=True)),
                ("received_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
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
                    "channel",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.channel",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("id"), condition=models.Q(("state", "received")), name="inbox_open"
                    ),
                    models.Index(fields=["account", "-id"], name="inbox_recent"),
                    models.Index(fields=["thread_id"], name="inbox_thread"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "source", "external_id"), name="inbox_message_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["received", "applied", "ignored", "dead"])
                        ),
                        name="inbox_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ChannelCredential",
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
                        choices=[
                            ("shopify_webhook", "Shopify webhook signing secret"),
                            ("woocommerce_webhook", "WooCommerce webhook secret"),
                        ],
                        max_length=32,
                    ),
                ),
                ("sealed", models.BinaryField()),
                ("hint", models.CharField(default="", editable=False, max_length=8)),
                ("changed_at", models.DateTimeField(editable=False)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.channel",
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.subjectkey",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("channel", "kind"), name="channel_credential_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["shopify_webhook", "woocommerce_webhook"])
                        ),
                        name="channel_credential_kind_known",
                    ),
                ],
            },
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalchannelcredential",
            "history_date",
            by_uuid=False,
            key=["history_id", "history_date"],
        ),
        config.kernel.operations.AppendOnly("historicalchannelcredential"),
        config.kernel.operations.PartitionByMonth("inboxbody", "id", by_uuid=True),
        config.kernel.operations.AppendOnly("inboxbody"),
    ]

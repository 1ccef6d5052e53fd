"""The tables of the kernel, with partitions and refusals that are expensive to add later."""

import config.kernel.fsm
import config.kernel.ids
import config.kernel.models.events
import config.kernel.operations
import django.contrib.auth.models
import django.contrib.auth.validators
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.db import migrations, models


SEQUENCE = "CREATE SEQUENCE kernel_case_number AS bigint START 1001"

# Partitions belong to the owner, and the running role may not create tables: this function is
# the one thing it may have done for it. It takes a number and reads the rest from the catalog.
ENSURE_PARTITIONS = """
CREATE FUNCTION ensure_partitions(months_ahead integer) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    parent record;
    first date;
    child text;
    low text;
    high text;
BEGIN
    FOR parent IN
        SELECT c.oid, c.relname, format_type(a.atttypid, NULL) = 'uuid' AS by_uuid
        FROM pg_class c
        JOIN pg_partitioned_table p ON p.partrelid = c.oid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
        WHERE c.relnamespace = 'public'::regnamespace AND p.partstrat = 'r'
        ORDER BY c.relname
    LOOP
        FOR step IN 0..least(months_ahead, 24) LOOP
            first := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => step));
            child := parent.relname || '_' || to_char(first, 'YYYYMM');
            CONTINUE WHEN to_regclass(format('public.%I', child)) IS NOT NULL;
            low := first::text;
            high := (first + interval '1 month')::date::text;
            IF parent.by_uuid THEN
                low := lpad(to_hex((extract(epoch FROM first) * 1000)::bigint),
                    12, '0') || repeat('0', 20);
                high := lpad(to_hex((extract(epoch FROM first + interval '1 month') * 1000)::bigint),
                    12, '0') || repeat('0', 20);
            END IF;
            BEGIN
                EXECUTE format('CREATE TABLE public.%I PARTITION OF public.%I '
                    'FOR VALUES FROM (%L) TO (%L)', child, parent.relname, low, high);
                RETURN NEXT child;
            EXCEPTION WHEN check_violation THEN
                RAISE WARNING '% already has rows of %: they stay in the default partition',
                    parent.relname, first;
            END;
        END LOOP;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION ensure_partitions(integer) FROM PUBLIC;
"""


class Migration(config.kernel.operations.RenderedOnce):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.RunSQL(SEQUENCE, "DROP SEQUENCE kernel_case_number"),
        migrations.RunSQL(ENSURE_PARTITIONS, "DROP FUNCTION ensure_partitions(integer)"),
        migrations.CreateModel(
            name="Account",
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
                ("code", models.SlugField(max_length=32, unique=True)),
                ("name", models.CharField(max_length=120)),
                ("currency", models.CharField(default="USD", max_length=3)),
                ("timezone", models.CharField(default="UTC", max_length=64)),
                ("settings", models.JSONField(blank=True, default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="HistoricalAccount",
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
                ("code", models.SlugField(db_index=False, max_length=32)),
                ("name", models.CharField(max_length=120)),
                ("currency", models.CharField(default="USD", max_length=3)),
                ("timezone", models.CharField(default="UTC", max_length=64)),
                ("settings", models.JSONField(blank=True, default=dict)),
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
            ],
            options={
                "verbose_name": "historical account",
                "verbose_name_plural": "historical accounts",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalaccount", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalaccount"),
        migrations.CreateModel(
            name="HistoricalRole",
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
                ("code", models.SlugField(db_index=False, max_length=32)),
                ("name", models.CharField(max_length=80)),
                (
                    "permissions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=48), default=list, size=None
                    ),
                ),
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
            ],
            options={
                "verbose_name": "historical role",
                "verbose_name_plural": "historical roles",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalrole", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalrole"),
        migrations.CreateModel(
            name="Lease",
            fields=[
                ("name", models.CharField(max_length=120, primary_key=True, serialize=False)),
                ("holder", models.CharField(max_length=120)),
                ("token", models.BigIntegerField(default=1)),
                ("expires_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ReferenceVersion",
            fields=[
                ("topic", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("version", models.BigIntegerField(default=1)),
            ],
        ),
        migrations.CreateModel(
            name="RelayCursor",
            fields=[
                ("name", models.CharField(max_length=32, primary_key=True, serialize=False)),
                (
                    "xid",
                    config.kernel.models.events.TransactionId(
                        db_default=django.db.models.expressions.RawSQL("'0'::xid8", ())
                    ),
                ),
                ("event_id", models.UUIDField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Role",
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
                ("code", models.SlugField(max_length=32, unique=True)),
                ("name", models.CharField(max_length=80)),
                (
                    "permissions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=48), default=list, size=None
                    ),
                ),
                (
                    "offered",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=48),
                        editable=False,
                        help_text="What the software brought for it when it was last brought up to date.",
                        null=True,
                        size=None,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SubjectKey",
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
                ("wrapped", models.BinaryField(null=True)),
                ("erased_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                (
                    "first_name",
                    models.CharField(blank=True, max_length=150, verbose_name="first name"),
                ),
                (
                    "last_name",
                    models.CharField(blank=True, max_length=150, verbose_name="last name"),
                ),
                (
                    "email",
                    models.EmailField(blank=True, max_length=254, verbose_name="email address"),
                ),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                (
                    "date_joined",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="date joined"
                    ),
                ),
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
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "abstract": False,
            },
            managers=[
                ("objects", django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name="Brand",
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
                ("code", models.SlugField(max_length=32)),
                ("name", models.CharField(max_length=120)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="brands",
                        to="kernel.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "code"), name="brand_code_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="BusinessClock",
            fields=[
                ("singleton", models.BooleanField(default=True, primary_key=True, serialize=False)),
                ("wall_anchor", models.DateTimeField()),
                ("business_anchor", models.DateTimeField()),
                ("speed", models.FloatField(default=1.0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("singleton", True)), name="one_clock"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Case",
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
                    "number",
                    models.BigIntegerField(
                        db_default=django.db.models.expressions.RawSQL(
                            "nextval('kernel_case_number')", ()
                        ),
                        unique=True,
                    ),
                ),
                ("kind", models.CharField(max_length=48)),
                ("dedupe_key", models.CharField(max_length=160)),
                ("subject_kind", models.CharField(max_length=32)),
                ("subject_id", models.UUIDField()),
                ("thread_id", models.UUIDField(null=True)),
                (
                    "severity",
                    models.SmallIntegerField(help_text="1 stops orders today, 4 can wait."),
                ),
                ("owner_team", models.CharField(max_length=32)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("open", "Open"),
                            ("acknowledged", "Acknowledged"),
                            ("in_progress", "In progress"),
                            ("waiting", "Waiting"),
                            ("resolved", "Resolved"),
                            ("auto_resolved", "Cleared by itself"),
                        ],
                        default="open",
                        editable=False,
                        max_length=16,
                    ),
                ),
                ("cause", models.CharField(default="", max_length=160)),
                ("evidence", models.JSONField(default=dict)),
                ("occurrences", models.PositiveIntegerField(default=1)),
                ("opened_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("waiting_until", models.DateTimeField(blank=True, null=True)),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                ("resolution", models.TextField(blank=True, default="")),
                ("event_seq", models.BigIntegerField(default=0)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="kernel.account",
                    ),
                ),
                (
                    "assignee",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("state__in", ["open", "acknowledged", "in_progress", "waiting"])
                        ),
                        fields=["account", "severity", "due_at"],
                        name="case_queue",
                    ),
                    models.Index(fields=["thread_id"], name="case_thread"),
                    models.Index(fields=["subject_id"], name="case_subject"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "open",
                                    "acknowledged",
                                    "in_progress",
                                    "waiting",
                                    "resolved",
                                    "auto_resolved",
                                ],
                            )
                        ),
                        name="case_state_known",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("state__in", ["open", "acknowledged", "in_progress", "waiting"])
                        ),
                        fields=("account", "dedupe_key"),
                        name="case_open_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CaseReport",
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
                ("kind", models.CharField(max_length=48)),
                ("dedupe_key", models.CharField(max_length=160)),
                ("subject_kind", models.CharField(max_length=32)),
                ("subject_id", models.UUIDField()),
                ("thread_id", models.UUIDField(null=True)),
                ("account_id", models.UUIDField()),
                ("cause", models.CharField(default="", max_length=160)),
                ("evidence", models.JSONField(default=dict)),
                ("at", models.DateTimeField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("clock_timestamp()", ())
                    ),
                ),
                ("folded", models.BooleanField(default=False)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("id"),
                        condition=models.Q(("folded", False)),
                        name="case_report_open",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Channel",
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
                ("code", models.SlugField(max_length=32)),
                ("name", models.CharField(max_length=120)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("web", "Web shop"),
                            ("marketplace", "Marketplace"),
                            ("pos", "Point of sale"),
                            ("b2b", "B2B"),
                            ("assisted", "Assisted"),
                        ],
                        max_length=16,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("timezone", models.CharField(default="UTC", max_length=64)),
                ("tax_inclusive", models.BooleanField(default=False)),
                (
                    "remorse_minutes",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Minutes after acceptance in which nothing is released.",
                    ),
                ),
                (
                    "backorders",
                    models.BooleanField(
                        default=True,
                        help_text="Accept what cannot be reserved as a backorder; otherwise hold it.",
                    ),
                ),
                ("active", models.BooleanField(default=True)),
                ("settings", models.JSONField(blank=True, default=dict)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="channels",
                        to="kernel.account",
                    ),
                ),
                (
                    "brand",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="channels",
                        to="kernel.brand",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "code"), name="channel_code_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["web", "marketplace", "pos", "b2b", "assisted"])
                        ),
                        name="channel_kind_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
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
                ("name", models.CharField(max_length=80)),
                ("prefix", models.CharField(max_length=16, unique=True)),
                ("digest", models.CharField(max_length=64)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=48), default=list, size=None
                    ),
                ),
                ("requests_per_minute", models.PositiveIntegerField(default=6000)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_keys",
                        to="kernel.account",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_keys",
                        to="kernel.channel",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "event_id",
                        "consumer",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("event_id", models.UUIDField()),
                ("consumer", models.CharField(max_length=64)),
                ("topic", models.CharField(max_length=64)),
                ("subject_id", models.UUIDField()),
                ("seq", models.BigIntegerField()),
                ("shard", models.SmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Pending"), ("done", "Done"), ("dead", "Dead")],
                        default="pending",
                        max_length=8,
                    ),
                ),
                ("attempts", models.SmallIntegerField(default=0)),
                (
                    "due_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("clock_timestamp()", ())
                    ),
                ),
                ("last_error", models.TextField(default="")),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("consumer"),
                        models.F("shard"),
                        models.F("due_at"),
                        condition=models.Q(("state", "pending")),
                        name="delivery_due",
                    ),
                    models.Index(
                        condition=models.Q(("state", "done"), _negated=True),
                        fields=["consumer", "subject_id", "seq"],
                        name="delivery_open",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["pending", "done", "dead"])),
                        name="delivery_state_known",
                    )
                ],
            },
        ),
        config.kernel.operations.PartitionByMonth(
            "delivery", "event_id", by_uuid=True, key=["event_id", "consumer"]
        ),
        migrations.CreateModel(
            name="Event",
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
                    "xid",
                    config.kernel.models.events.TransactionId(
                        db_default=django.db.models.expressions.RawSQL("pg_current_xact_id()", ())
                    ),
                ),
                ("topic", models.CharField(max_length=64)),
                ("subject_kind", models.CharField(max_length=32)),
                ("subject_id", models.UUIDField()),
                ("seq", models.BigIntegerField()),
                ("thread_id", models.UUIDField(null=True)),
                ("account_id", models.UUIDField()),
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=120)),
                ("on_behalf_of", models.CharField(default="", max_length=120)),
                ("correlation_id", models.CharField(default="", max_length=64)),
                ("causation_id", models.CharField(default="", max_length=64)),
                ("at", models.DateTimeField()),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("clock_timestamp()", ())
                    ),
                ),
                ("data", models.JSONField(default=dict)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["xid", "id"], name="event_horizon"),
                    models.Index(fields=["subject_id", "seq"], name="event_subject"),
                    models.Index(
                        condition=models.Q(("thread_id__isnull", False)),
                        fields=["thread_id", "id"],
                        name="event_thread",
                    ),
                ],
            },
        ),
        config.kernel.operations.PartitionByMonth("event", "id", by_uuid=True),
        config.kernel.operations.AppendOnly("event"),
        migrations.CreateModel(
            name="ExternalKey",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("scope", models.CharField(max_length=32)),
                ("source", models.CharField(max_length=64)),
                ("external_id", models.CharField(max_length=255)),
                ("subject_id", models.UUIDField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("scope", "source", "external_id"), name="external_key_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalApiKey",
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
                ("name", models.CharField(max_length=80)),
                ("prefix", models.CharField(max_length=16)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=48), default=list, size=None
                    ),
                ),
                ("requests_per_minute", models.PositiveIntegerField(default=6000)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
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
            ],
            options={
                "verbose_name": "historical api key",
                "verbose_name_plural": "historical api keys",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalapikey", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalapikey"),
        migrations.CreateModel(
            name="HistoricalBrand",
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
                ("code", models.SlugField(db_index=False, max_length=32)),
                ("name", models.CharField(max_length=120)),
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
            ],
            options={
                "verbose_name": "historical brand",
                "verbose_name_plural": "historical brands",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalbrand", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalbrand"),
        migrations.CreateModel(
            name="HistoricalCase",
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
                ("number", models.BigIntegerField()),
                ("kind", models.CharField(max_length=48)),
                ("dedupe_key", models.CharField(max_length=160)),
                ("subject_kind", models.CharField(max_length=32)),
                ("subject_id", models.UUIDField()),
                ("thread_id", models.UUIDField(null=True)),
                (
                    "severity",
                    models.SmallIntegerField(help_text="1 stops orders today, 4 can wait."),
                ),
                ("owner_team", models.CharField(max_length=32)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("open", "Open"),
                            ("acknowledged", "Acknowledged"),
                            ("in_progress", "In progress"),
                            ("waiting", "Waiting"),
                            ("resolved", "Resolved"),
                            ("auto_resolved", "Cleared by itself"),
                        ],
                        default="open",
                        editable=False,
                        max_length=16,
                    ),
                ),
                ("cause", models.CharField(default="", max_length=160)),
                ("evidence", models.JSONField(default=dict)),
                ("occurrences", models.PositiveIntegerField(default=1)),
                ("opened_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("waiting_until", models.DateTimeField(blank=True, null=True)),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                ("resolution", models.TextField(blank=True, default="")),
                ("event_seq", models.BigIntegerField(default=0)),
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
                    "assignee",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical case",
                "verbose_name_plural": "historical cases",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalcase", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalcase"),
        migrations.CreateModel(
            name="HistoricalChannel",
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
                ("code", models.SlugField(db_index=False, max_length=32)),
                ("name", models.CharField(max_length=120)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("web", "Web shop"),
                            ("marketplace", "Marketplace"),
                            ("pos", "Point of sale"),
                            ("b2b", "B2B"),
                            ("assisted", "Assisted"),
                        ],
                        max_length=16,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("timezone", models.CharField(default="UTC", max_length=64)),
                ("tax_inclusive", models.BooleanField(default=False)),
                (
                    "remorse_minutes",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Minutes after acceptance in which nothing is released.",
                    ),
                ),
                (
                    "backorders",
                    models.BooleanField(
                        default=True,
                        help_text="Accept what cannot be reserved as a backorder; otherwise hold it.",
                    ),
                ),
                ("active", models.BooleanField(default=True)),
                ("settings", models.JSONField(blank=True, default=dict)),
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
                    "brand",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="kernel.brand",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical channel",
                "verbose_name_plural": "historical channels",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalchannel", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalchannel"),
        migrations.CreateModel(
            name="IdempotencyKey",
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
                ("credential_id", models.UUIDField()),
                ("key", models.CharField(max_length=255)),
                ("fingerprint", models.CharField(max_length=64)),
                ("lease_until", models.DateTimeField()),
                ("token", models.BigIntegerField(default=1)),
                ("status", models.SmallIntegerField(null=True)),
                ("body", models.BinaryField(null=True)),
                ("content_type", models.CharField(default="", max_length=64)),
                (
                    "subject_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), default=list, size=None
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("clock_timestamp()", ())
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["recorded_at"], name="idempotency_key_age")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("credential_id", "key"), name="idempotency_key_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Intent",
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
                ("kind", models.CharField(max_length=48)),
                (
                    "key",
                    models.CharField(
                        help_text="Sent outside as the idempotency key.", max_length=120
                    ),
                ),
                ("subject_kind", models.CharField(max_length=32)),
                ("subject_id", models.UUIDField()),
                ("payload", models.JSONField(default=dict)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("pending", "Pending"),
                            ("running", "Running"),
                            ("unknown", "Outcome unknown"),
                            ("done", "Done"),
                            ("refused", "Refused"),
                            ("dead", "Dead"),
                        ],
                        default="pending",
                        editable=False,
                        max_length=8,
                    ),
                ),
                ("attempts", models.SmallIntegerField(default=0)),
                (
                    "due_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("clock_timestamp()", ())
                    ),
                ),
                ("lease_until", models.DateTimeField(null=True)),
                ("first_tried_at", models.DateTimeField(null=True)),
                ("answer", models.JSONField(default=dict)),
                ("last_error", models.TextField(default="")),
                ("actor_id", models.CharField(max_length=64)),
                ("at", models.DateTimeField()),
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
                "indexes": [
                    models.Index(
                        models.F("due_at"),
                        condition=models.Q(("state__in", ["pending", "running", "unknown"])),
                        name="intent_due",
                    ),
                    models.Index(fields=["subject_id"], name="intent_subject"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "key"), name="intent_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["pending", "running", "unknown", "done", "refused", "dead"],
                            )
                        ),
                        name="intent_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Job",
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
                ("kind", models.CharField(max_length=48)),
                ("title", models.CharField(max_length=200)),
                ("params", models.JSONField(default=dict)),
                (
                    "state",
                    config.kernel.fsm.StateField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("partial", "Done, some refused"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("total", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("refused", models.PositiveIntegerField(default=0)),
                ("attempts", models.SmallIntegerField(default=0)),
                ("cancel_asked", models.BooleanField(default=False)),
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=120)),
                ("at", models.DateTimeField()),
                (
                    "queued_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("clock_timestamp()", ())
                    ),
                ),
                ("started_at", models.DateTimeField(null=True)),
                ("progressed_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("last_error", models.TextField(default="")),
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
                "indexes": [
                    models.Index(fields=["account", "-id"], name="job_recent"),
                    models.Index(
                        models.F("queued_at"),
                        condition=models.Q(("state__in", ["queued", "running"])),
                        name="job_open",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["queued", "running", "done", "partial", "failed", "cancelled"],
                            )
                        ),
                        name="job_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="JobItem",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("position", models.PositiveIntegerField()),
                ("subject_id", models.UUIDField()),
                ("outcome", models.CharField(default="waiting", max_length=12)),
                ("code", models.CharField(default="", max_length=48)),
                ("detail", models.TextField(default="")),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="kernel.job",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("job", "position"), name="job_item_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("outcome__in", ["waiting", "done", "repeated", "refused"])
                        ),
                        name="job_item_outcome_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalGrant",
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
                ("node_id", models.BigIntegerField(blank=True, null=True)),
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
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="kernel.role",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical grant",
                "verbose_name_plural": "historical grants",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalgrant", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalgrant"),
        migrations.CreateModel(
            name="Grant",
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
                ("node_id", models.BigIntegerField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grants",
                        to="kernel.account",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grants",
                        to="kernel.role",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "role", "account", "node_id"),
                        name="grant_once",
                        nulls_distinct=False,
                    ),
                ],
            },
        ),
    ]

"""Lots, serials, expiry, what binds lots, and recalls; what SKUs say of them."""

import config.kernel.fsm
import config.kernel.operations
import config.kernel.ids
import django.contrib.postgres.fields
import django.db.models.deletion
import simple_history.models
from django.db import migrations, models


class Migration(config.kernel.operations.RenderedOnce):

    dependencies = [
        ('inventory', '0004_stock'),
        ('kernel', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='sku',
            name='expires',
            field=models.BooleanField(db_default=False, default=False, help_text='Every lot of it has a date of expiry.'),
        ),
        migrations.AddField(
            model_name='historicalsku',
            name='expires',
            field=models.BooleanField(default=False, help_text='Every lot of it has a date of expiry.'),
        ),
        migrations.AddField(
            model_name='sku',
            name='lot_tracked',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='historicalsku',
            name='lot_tracked',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='sku',
            name='min_remaining_life_days',
            field=models.PositiveIntegerField(db_default=0, default=0, help_text='So many days before a lot expires it is sold no more.'),
        ),
        migrations.AddField(
            model_name='historicalsku',
            name='min_remaining_life_days',
            field=models.PositiveIntegerField(default=0, help_text='So many days before a lot expires it is sold no more.'),
        ),
        migrations.AddField(
            model_name='sku',
            name='regulation',
            field=models.CharField(blank=True, choices=[('', 'None'), ('alcohol', 'Alcohol'), ('tobacco', 'Tobacco'), ('medicine', 'Medicine'), ('age_restricted', 'Age-restricted'), ('battery', 'Batteries')], db_default='', default='', max_length=16),
        ),
        migrations.AddField(
            model_name='historicalsku',
            name='regulation',
            field=models.CharField(blank=True, choices=[('', 'None'), ('alcohol', 'Alcohol'), ('tobacco', 'Tobacco'), ('medicine', 'Medicine'), ('age_restricted', 'Age-restricted'), ('battery', 'Batteries')], default='', max_length=16),
        ),
        migrations.AddField(
            model_name='sku',
            name='serial_tracked',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='historicalsku',
            name='serial_tracked',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='stockposition',
            name='fresh_until',
            field=models.DateTimeField(help_text='When the first of its lots on sale stops being so.', null=True),
        ),
        migrations.AddIndex(
            model_name='stockposition',
            index=models.Index(condition=models.Q(('fresh_until__isnull', False)), fields=['fresh_until'], name='position_to_expire'),
        ),
        migrations.CreateModel(
            name='Recall',
            fields=[
                ('id', models.UUIDField(default=config.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.account')),
                ('state', config.kernel.fsm.StateField(choices=[('stopping', 'Being stopped'), ('stopped', 'Stopped'), ('lifted', 'Lifted')], default='stopping', editable=False, max_length=12)),
                ('reason', models.CharField(max_length=200)),
                ('opened_at', models.DateTimeField()),
                ('opened_by_name', models.CharField(default='', max_length=120)),
                ('stopped_at', models.DateTimeField(blank=True, null=True)),
                ('lifted_at', models.DateTimeField(blank=True, null=True)),
                ('lift_reason', models.CharField(blank=True, default='', max_length=200)),
                ('event_seq', models.BigIntegerField(default=0)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['stopping', 'stopped', 'lifted'])), name='recall_state_known')],
            },
        ),
        migrations.CreateModel(
            name='HistoricalRecall',
            fields=[
                ('actor_kind', models.CharField(max_length=16)),
                ('actor_id', models.CharField(max_length=64)),
                ('actor_name', models.CharField(max_length=120)),
                ('correlation_id', models.CharField(default='', max_length=64)),
                ('history_at', models.DateTimeField()),
                ('id', models.UUIDField(db_index=True, default=config.kernel.ids.uuid7, editable=False)),
                ('state', config.kernel.fsm.StateField(choices=[('stopping', 'Being stopped'), ('stopped', 'Stopped'), ('lifted', 'Lifted')], default='stopping', editable=False, max_length=12)),
                ('reason', models.CharField(max_length=200)),
                ('opened_at', models.DateTimeField()),
                ('opened_by_name', models.CharField(default='', max_length=120)),
                ('stopped_at', models.DateTimeField(blank=True, null=True)),
                ('lifted_at', models.DateTimeField(blank=True, null=True)),
                ('lift_reason', models.CharField(blank=True, default='', max_length=200)),
                ('history_change_reason', models.TextField(default='')),
                ('account', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='kernel.account')),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
            ],
            options={
                'verbose_name': 'historical recall',
                'verbose_name_plural': 'historical recalls',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalrecall", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalrecall"),
        migrations.CreateModel(
            name='Lot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.account')),
                ('sku', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='lots', to='inventory.sku')),
                ('code', models.CharField(max_length=64)),
                ('expires_on', models.DateField(blank=True, null=True)),
                ('made_on', models.DateField(blank=True, null=True)),
                ('state', config.kernel.fsm.StateField(choices=[('active', 'Active'), ('held', 'Held'), ('recalled', 'Recalled'), ('expired', 'Expired')], default='active', editable=False, max_length=12)),
                ('state_reason', models.CharField(blank=True, default='', max_length=200)),
                ('recall', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lots', to='inventory.recall')),
                ('first_seen_at', models.DateTimeField()),
                ('unsettled', models.BooleanField(default=False, help_text='Its units are still being moved to where its state wants them.')),
                ('event_seq', models.BigIntegerField(default=0)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ['active', 'held'])), fields=['expires_on'], name='lot_to_expire'), models.Index(fields=['account', 'code'], name='lot_by_code'), models.Index(condition=models.Q(('unsettled', True)), fields=['id'], name='lot_unsettled')],
                'constraints': [models.UniqueConstraint(fields=('sku', 'code'), name='lot_once'), models.CheckConstraint(condition=models.Q(('state__in', ['active', 'held', 'recalled', 'expired'])), name='lot_state_known'), models.CheckConstraint(condition=models.Q(('code', ''), _negated=True), name='lot_has_a_code')],
            },
        ),
        migrations.CreateModel(
            name='HistoricalLot',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('actor_kind', models.CharField(max_length=16)),
                ('actor_id', models.CharField(max_length=64)),
                ('actor_name', models.CharField(max_length=120)),
                ('correlation_id', models.CharField(default='', max_length=64)),
                ('history_at', models.DateTimeField()),
                ('code', models.CharField(max_length=64)),
                ('expires_on', models.DateField(blank=True, null=True)),
                ('made_on', models.DateField(blank=True, null=True)),
                ('state', config.kernel.fsm.StateField(choices=[('active', 'Active'), ('held', 'Held'), ('recalled', 'Recalled'), ('expired', 'Expired')], default='active', editable=False, max_length=12)),
                ('state_reason', models.CharField(blank=True, default='', max_length=200)),
                ('first_seen_at', models.DateTimeField()),
                ('history_change_reason', models.TextField(default='')),
                ('account', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='kernel.account')),
                ('sku', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='inventory.sku')),
                ('recall', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='inventory.recall')),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
            ],
            options={
                'verbose_name': 'historical lot',
                'verbose_name_plural': 'historical lots',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicallot", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicallot"),
        migrations.CreateModel(
            name='Serial',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.account')),
                ('sku', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='serials', to='inventory.sku')),
                ('number', models.CharField(max_length=64)),
                ('lot', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='serials', to='inventory.lot')),
                ('position', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.stockposition')),
                ('state', config.kernel.fsm.StateField(choices=[('in_stock', 'In stock'), ('picked', 'Picked'), ('shipped', 'Shipped'), ('returned', 'Came back'), ('scrapped', 'Scrapped')], default='in_stock', editable=False, max_length=12)),
                ('cause_kind', models.CharField(blank=True, default='', max_length=32)),
                ('cause_id', models.UUIDField(blank=True, null=True)),
                ('seen_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['account', 'number'], name='serial_by_number')],
                'constraints': [models.UniqueConstraint(fields=('sku', 'number'), name='serial_once'), models.CheckConstraint(condition=models.Q(('state__in', ['in_stock', 'picked', 'shipped', 'returned', 'scrapped'])), name='serial_state_known')],
            },
        ),
        migrations.CreateModel(
            name='HistoricalSerial',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('actor_kind', models.CharField(max_length=16)),
                ('actor_id', models.CharField(max_length=64)),
                ('actor_name', models.CharField(max_length=120)),
                ('correlation_id', models.CharField(default='', max_length=64)),
                ('history_at', models.DateTimeField()),
                ('number', models.CharField(max_length=64)),
                ('state', config.kernel.fsm.StateField(choices=[('in_stock', 'In stock'), ('picked', 'Picked'), ('shipped', 'Shipped'), ('returned', 'Came back'), ('scrapped', 'Scrapped')], default='in_stock', editable=False, max_length=12)),
                ('cause_kind', models.CharField(blank=True, default='', max_length=32)),
                ('cause_id', models.UUIDField(blank=True, null=True)),
                ('seen_at', models.DateTimeField()),
                ('history_change_reason', models.TextField(default='')),
                ('account', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='kernel.account')),
                ('sku', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='inventory.sku')),
                ('lot', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='inventory.lot')),
                ('position', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='inventory.stockposition')),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
            ],
            options={
                'verbose_name': 'historical serial',
                'verbose_name_plural': 'historical serials',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalserial", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalserial"),
        migrations.CreateModel(
            name='Allocation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.account')),
                ('reservation', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='allocations', to='inventory.reservation')),
                ('level', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='allocations', to='inventory.stocklevel')),
                ('units', models.BigIntegerField()),
                ('min_expiry', models.DateField(help_text='It must not expire before this day.')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('level', None)), fields=['id'], name='allocation_lost')],
                'constraints': [models.UniqueConstraint(fields=('reservation', 'level'), name='allocation_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('units__gt', 0)), name='allocation_some')],
            },
        ),
        migrations.CreateModel(
            name='ChannelLife',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sku_codes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, size=None)),
                ('brand', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.brand')),
                ('sku_kind', models.CharField(blank=True, choices=[('stock', 'Stock'), ('kit', 'Kit'), ('service', 'Service'), ('digital', 'Digital'), ('gift_card', 'Gift card')], default='', max_length=16)),
                ('lifecycle', models.CharField(blank=True, default='', max_length=16)),
                ('attribute', models.CharField(blank=True, default='', max_length=64)),
                ('attribute_value', models.CharField(blank=True, default='', max_length=200)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.account')),
                ('channel', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.channel')),
                ('days', models.PositiveIntegerField()),
            ],
            options={
                'verbose_name': 'minimum remaining life',
                'verbose_name_plural': 'minimum remaining lives',
            },
        ),
        migrations.CreateModel(
            name='HistoricalChannelLife',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('actor_kind', models.CharField(max_length=16)),
                ('actor_id', models.CharField(max_length=64)),
                ('actor_name', models.CharField(max_length=120)),
                ('correlation_id', models.CharField(default='', max_length=64)),
                ('history_at', models.DateTimeField()),
                ('sku_codes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, size=None)),
                ('sku_kind', models.CharField(blank=True, choices=[('stock', 'Stock'), ('kit', 'Kit'), ('service', 'Service'), ('digital', 'Digital'), ('gift_card', 'Gift card')], default='', max_length=16)),
                ('lifecycle', models.CharField(blank=True, default='', max_length=16)),
                ('attribute', models.CharField(blank=True, default='', max_length=64)),
                ('attribute_value', models.CharField(blank=True, default='', max_length=200)),
                ('days', models.PositiveIntegerField()),
                ('history_change_reason', models.TextField(default='')),
                ('brand', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='kernel.brand')),
                ('account', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='kernel.account')),
                ('channel', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='kernel.channel')),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
            ],
            options={
                'verbose_name': 'historical minimum remaining life',
                'verbose_name_plural': 'historical minimum remaining lives',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        config.kernel.operations.PartitionByMonth(
            "historicalchannellife", "history_date", by_uuid=False, key=["history_id", "history_date"]
        ),
        config.kernel.operations.AppendOnly("historicalchannellife"),
    ]

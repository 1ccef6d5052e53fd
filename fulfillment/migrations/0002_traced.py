"""Which lots and serials lie in which parcel."""

import django.db.models.deletion
from django.db import migrations, models

import config.kernel.operations


class Migration(config.kernel.operations.RenderedOnce):

    dependencies = [
        ('fulfillment', '0001_initial'),
        ('inventory', '0005_lots'),
        ('kernel', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='TracedUnits',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lot', models.CharField(blank=True, default='', max_length=64)),
                ('serial', models.CharField(blank=True, default='', max_length=64)),
                ('expires_on', models.DateField(null=True)),
                ('quantity', models.PositiveIntegerField()),
                ('verified', models.BooleanField(default=False)),
                ('at', models.DateTimeField()),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.account')),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='traced', to='fulfillment.fulfillmentline')),
                ('parcel', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='traced', to='fulfillment.parcel')),
                ('sku', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.sku')),
            ],
            options={
                'indexes': [models.Index(fields=['sku', 'lot'], name='traced_lot'), models.Index(condition=models.Q(('serial', ''), _negated=True), fields=['sku', 'serial'], name='traced_serial')],
                'constraints': [models.CheckConstraint(condition=models.Q(('quantity__gt', 0), models.Q(('serial', ''), ('quantity', 1), _connector='OR')), name='traced_units_some'), models.CheckConstraint(condition=models.Q(models.Q(('lot', ''), _negated=True), models.Q(('serial', ''), _negated=True), _connector='OR'), name='traced_units_named')],
            },
        ),
    ]

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("inventory", "0011_inbound")]

    operations: ClassVar = []

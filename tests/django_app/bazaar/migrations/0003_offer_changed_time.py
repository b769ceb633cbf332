"""A time that is set when an offer is made public or hidden."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One column."""

    dependencies = [("bazaar", "0002_initial")]
    operations = [migrations.AddField("offer", "changed_time", models.DateTimeField(null=True, blank=True))]

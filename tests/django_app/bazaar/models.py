"""What people of a small site sell."""

from django.conf import settings
from django.db import models


class Offer(models.Model):
    """An offer, with a switch that makes it public."""

    title = models.CharField(max_length=2000)
    body = models.TextField(blank=True)
    material = models.CharField(max_length=100, blank=True)
    is_public = models.BooleanField(default=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True)
    price = models.IntegerField(default=1)
    changed_time = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(price__gte=0), name="price_is_not_negative"),)

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        """Where it is shown."""
        return f"/offer/{self.pk}/"


class Post(models.Model):
    """A post with a status, kept in another database."""

    text = models.TextField()
    status = models.CharField(max_length=20, default="live")

    def __str__(self):
        return self.text[:40]


class Plain(models.Model):
    """Something that nobody watches."""

    title = models.CharField(max_length=200)

    def __str__(self):
        return self.title

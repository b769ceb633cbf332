"""A user model of the site's own."""

from django.contrib.auth.models import AbstractUser


class Person(AbstractUser):
    """Somebody who sells or moderates."""

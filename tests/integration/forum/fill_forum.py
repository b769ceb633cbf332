"""Fill a new forum: a category beside those of spirit, two members, a moderator."""

from django.contrib.auth import get_user_model
from spirit.category.models import Category

PASSWORD = "of-the-tests"  # noqa: S105 protects nothing


def fill() -> None:
    """Make all of it."""
    people = get_user_model().objects
    Category.objects.create(title="Attic")
    for name in ("member", "reader"):
        people.create_user(name, f"{name}@example.org", PASSWORD)
    moderator = people.create_superuser("moderator", "moderator@example.org", PASSWORD)
    moderator.st.is_administrator = moderator.st.is_moderator = True
    moderator.st.save()

"""Fill a new shop: a kind of product, a category, a seller with a shop of their own, a moderator."""

from django.contrib.auth.models import Permission, User
from oscar.apps.catalogue.categories import create_from_breadcrumbs
from oscar.apps.catalogue.models import ProductClass
from oscar.apps.partner.models import Partner

PASSWORD = "of-the-tests"  # noqa: S105 protects nothing


def fill() -> None:
    """Make all of it."""
    ProductClass.objects.create(name="Things", requires_shipping=True, track_stock=False)
    create_from_breadcrumbs("Attic")
    seller = User.objects.create_user("seller", "seller@example.org", PASSWORD)
    seller.user_permissions.add(Permission.objects.get(codename="dashboard_access", content_type__app_label="partner"))
    Partner.objects.create(name="Aunt's attic").users.add(seller)
    User.objects.create_superuser("moderator", "moderator@example.org", PASSWORD)

"""What django-oscar keeps apart from its products' own fields."""

from __future__ import annotations

from typing import Any

PRODUCT = {
    "title": "title",
    "text": ["description"],
    "attributes": "wildgate.contrib.django.oscar.attributes",
    "published": {"field": "is_public", "value": True},
}
"""An entry of WILDGATE['MODELS'] for `catalogue.Product`."""


def attributes(product: Any) -> dict[str, str]:
    """Return the attributes of a product of django-oscar, by their names; files and pictures are left out."""
    if product.is_parent:
        return {}
    values = ((each, getattr(product.attr, each.code, None)) for each in product.attr.get_all_attributes())
    return {each.name: str(value) for each, value in values if value not in (None, "") and not each.is_file}

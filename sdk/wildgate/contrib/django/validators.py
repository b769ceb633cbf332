"""Screening for forms and serializers that are not of the model itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.apps import apps

from wildgate.contrib.django.receivers import validate


class ListingValidator:
    """Raises ValidationError with the notice for data that the service asks to refuse.

    Call it in `Form.clean` with `cleaned_data`, or put it into the `validators` of a serializer's
    Meta. Names in the data are those of the model's fields; others are passed over. Forms of a
    watched model (ModelForm, the admin) need none of it. The save that follows scores once more,
    for it may be of other texts.
    """

    def __init__(self, model: str) -> None:
        """Keep the label of a watched model, such as `catalogue.Product`."""
        self._label = model

    def __call__(self, data: Mapping[str, Any]) -> None:
        """Score the data as an object of the model, within the deadline."""
        model = apps.get_model(self._label)
        fields = {each.name for each in model._meta.concrete_fields}
        validate(model(**{name: value for name, value in data.items() if name in fields}))

"""A platform's own export of its listings: the texts of decisions, which the store does not keep."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import msgspec

from wildgate_service.bulk import InputRow, listing_of
from wildgate_service.errors import WildgateError
from wildgate_service.lexicon.listing_lines import lines_of
from wildgate_service.types import Listing


class ExportedRow(InputRow, kw_only=True):
    """A line as `wildgate score --input` reads it, with the listing's `id`, or the `request_id` of one answer, or both."""

    request_id: str | None = None


class ExportedTexts:
    """Listings by request and by listing. One of a request goes before those of the listing, which may have been edited."""

    def __init__(self) -> None:
        self._by_request: dict[str, list[Listing]] = defaultdict(list)
        self._by_listing: dict[str, list[Listing]] = defaultdict(list)

    @classmethod
    def read(cls, path: Path) -> ExportedTexts:
        """Read a file. Raises WildgateError with the line of the first that is no listing or names neither id."""
        made = cls()
        for number, line in lines_of(path):
            try:
                row = msgspec.json.decode(line, type=ExportedRow)
                listing = listing_of(row)
            except (ValueError, RecursionError) as error:
                raise WildgateError(f"{path}:{number}: not a listing: {error}") from error
            if not (row.request_id or listing.id):
                raise WildgateError(f"{path}:{number}: neither id nor request_id says which decision the text is of")
            made.add(listing, row.request_id or "")
        return made

    def add(self, listing: Listing, request_id: str = "") -> None:
        """Keep one."""
        if request_id:
            self._by_request[request_id.lower()].append(listing)
        if listing.id:
            self._by_listing[listing.id].append(listing)

    def find(self, request_id: str, listing_id: str, fits: Callable[[Listing], bool]) -> list[Listing]:
        """Those of a request, else of its listing, that fit; each text once."""
        found = self._by_request.get(request_id) or self._by_listing.get(listing_id) or []
        return list({text_of(each): each for each in found if fits(each)}.values())

    def knows(self, request_id: str, listing_id: str) -> bool:
        """Whether there is any text of the request or listing."""
        return request_id in self._by_request or listing_id in self._by_listing


def text_of(listing: Listing) -> str:
    """All that was said, a field a line."""
    attributes = (": ".join(part for part in (each.name, each.value) if part) for each in listing.attributes)
    return "\n".join(part for part in (listing.title, listing.description, *attributes) if part)

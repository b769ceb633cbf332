"""A shop in thirty lines, so that its tests have something to test."""

from __future__ import annotations

from dataclasses import dataclass, field

from wildgate import Client, Listing


@dataclass
class Shop:
    """Publishes, holds or refuses what is posted, and tells the service what it did."""

    client: Client
    published: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)

    def post(self, title: str) -> str:
        """Return what the seller reads."""
        decision = self.client.score(Listing(title=title))
        if decision.blocked:
            self.client.report_outcome(decision, "removed")
            return decision.notice
        if decision.review:
            self.held.append(title)
            return "Somebody will look at it first."
        self.published.append(title)
        return "It is public."

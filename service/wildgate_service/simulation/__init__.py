"""A simulated year with known truth: decisions and what followed them, by which reports and estimates are tested and measured.

    plan = Plan(decisions=100_000)
    with open_store(url) as store:
        truth = write_year(store, plan)
    truth.recall(language="vi")

Everything is drawn from `world.toml` and the plan by its seed, so the same plan gives the same year (but for the salts of the log, which
are random by nature). It is invented, and says nothing of how well Wildgate does. Listings have no text; fingerprints are drawn.
"""

from __future__ import annotations

from wildgate_service.simulation.aftermath import aftermath
from wildgate_service.simulation.drawing import Truth
from wildgate_service.simulation.plan import Plan, World, load_world
from wildgate_service.simulation.writing import Chunk, simulate, write_year

__all__ = ["Chunk", "Plan", "Truth", "World", "aftermath", "load_world", "simulate", "write_year"]

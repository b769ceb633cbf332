"""What a worker counts of its decisions, a few microseconds a listing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildgate_service.classify import DEEP, ENCODER, SCREEN
from wildgate_service.fuse import READ_BY
from wildgate_service.language import TRADED, UNKNOWN

if TYPE_CHECKING:
    from wildgate_service.monitoring.tally import Tally
    from wildgate_service.pipeline import Timings
    from wildgate_service.types import Decision

TIMED_EVERY = 8  # listings: timing each would cost as much as all the rest
CLASSIFY = "classify"
OTHER_LANGUAGE = "other"  # a hint may be anything, and a label may not
TIER_OF = {READ_BY.format(tier=tier): tier for tier in (ENCODER, DEEP)}


class DecisionCounts:
    """Counts decisions; `tally` is the worker's."""

    def __init__(self, tally: Tally) -> None:
        self._languages = {language: language for language in (*TRADED, UNKNOWN)}
        self._decisions = tally.counter("wildgate_decisions_total")
        self._taxa = tally.counter("wildgate_taxon_decisions_total")
        self._shadow = tally.counter("wildgate_shadow_decisions_total")
        self._degraded = tally.counter("wildgate_degraded_decisions_total")
        self._tiers = tally.counter("wildgate_tier_runs_total")
        self._sampled = tally.counter("wildgate_sampled_decisions_total")
        self._repeated = tally.counter("wildgate_repeated_decisions_total")
        self._stage_seconds = tally.histogram("wildgate_stage_seconds")
        self._tier_seconds = tally.histogram("wildgate_tier_seconds")
        self._until_timed = 1

    def times_this(self) -> bool:
        """Whether the stages of the next listing are to be timed: of every eighth."""
        self._until_timed -= 1
        if self._until_timed:
            return False
        self._until_timed = TIMED_EVERY
        return True

    def repeated(self) -> None:
        """Count a repeat, which is no decision of its own."""
        self._repeated[()] += 1

    def decided(self, decision: Decision) -> None:
        """Count a decision that is answered."""
        language = self._languages.get(decision.language) or self._known(decision.language)
        self._decisions[(decision.action, language)] += 1
        self._tiers[(SCREEN,)] += 1
        for evidence in decision.evidence:
            if evidence.name in TIER_OF:
                self._tiers[(TIER_OF[evidence.name],)] += 1
        if decision.taxa:
            for group in {taxon.group for taxon in decision.taxa}:
                self._taxa[(group, decision.action)] += 1
        if decision.shadow:
            self._shadow[(decision.shadow_action,)] += 1
        for reason in decision.degraded_reasons:
            self._degraded[(reason,)] += 1
        if decision.sampled:
            self._sampled[()] += 1

    def timed(self, decision: Decision, timings: Timings) -> None:
        """Count the stages of a listing that was timed."""
        for stage, nanoseconds in timings:
            self._stage_seconds.observe(nanoseconds / 1e9, stage)
            if stage == CLASSIFY:
                self._tier_seconds.observe(nanoseconds / 1e9, slowest_tier(decision))

    def _known(self, language: str) -> str:
        return self._languages.get(language.partition("-")[0].lower(), OTHER_LANGUAGE)


def slowest_tier(decision: Decision) -> str:
    """The last tier that read the text."""
    return next((TIER_OF[each.name] for each in decision.evidence if each.name in TIER_OF), SCREEN)

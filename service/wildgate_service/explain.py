"""`wildgate score --explain`: what each stage made of a text, in words."""

from __future__ import annotations

import msgspec

from wildgate_service.normalize import normalize
from wildgate_service.normalize.slow import steps_of
from wildgate_service.pipeline import Engine, decide_on, weigh
from wildgate_service.restricted import without_words
from wildgate_service.types import Listing, Match


def explain_listing(engine: Engine, listing: Listing) -> str:
    """Several lines: the fold step by step, its further readings, every match with its company and contexts, heads, evidence, decision."""
    text = normalize(listing)
    weighed = weigh(engine, listing)
    matches, classification, score = weighed.matches, weighed.classification, weighed.score
    lines = [f"document   {text.document!r}"]
    lines += [f"  {name:20} {after!r}" for name, after in steps_of(text.document)]
    lines.append(f"skeleton   {text.skeleton!r}")
    lines += [f"bare       {bare.text!r}" for bare in text.bare]
    lines += [f"layer      {layer.name:20} {other.skeleton!r}" for layer, other in text.layers]
    lines += [f"match      {_match_line(found)}" for found in without_words(matches)]
    lines.append(f"language   {classification.language}")
    lines += [f"head       {name:20} {value:.3f}" for name, value in classification.probabilities.items()]
    lines += [f"evidence   {each.name:20} {each.weight:+.3f}" for each in score.evidence]
    decision = decide_on(weighed, engine, engine.policy, tenant="")
    lines.append(f"decision   {msgspec.structs.replace(decision, matches=tuple(without_words(decision.matches)))}")
    return "\n".join(lines)


def _match_line(found: Match) -> str:
    state = "counts" if found.counts else "faint" if found.is_faint else "does not count"
    notes = [f"views: {', '.join(found.views)}"] if found.views else []
    notes += [f"part of {', '.join(found.canceled_by)}"] if found.canceled_by else []
    notes += [f"explained by {', '.join(found.explained_by)}"] if found.explained_by else []
    notes += [f"weakened by {', '.join(found.weakened_by)}"] if found.weakened_by else []
    return f"{found.rule_id} {found.surface!r} = {found.form!r} ({found.gloss}) [{state}] {'; '.join(notes)}".rstrip()

"""How good the automated means are, as sheet 8 asks: accuracy, precision and recall, each with what it was measured on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wildgate_service.types import TransparencyReport

DECIMALS = 4

TOTAL, OWN_INITIATIVE, NOTICES, TRUSTED_FLAGGERS = "Total number", "Own-initiative", "NAM Total", "NAM Trusted Flagger"
ACCURACY, PRECISION, RECALL = "Accuracy", "Precision", "Recall"


class Quality(Struct, frozen=True, kw_only=True):
    """One figure: `measure` (Accuracy, Precision, Recall) of a `classifier` in a `scope`: a scope of sheet 8 or a language code (`sv`).

    `value` is None, and so are the bounds of the 95 % interval, where the sample of `size` is too small to say; `method` says how it was
    measured, in a sentence.
    """

    classifier: str
    scope: str
    measure: str
    value: float | None
    lower: float | None
    upper: float | None
    size: int
    method: str

    @property
    def context(self) -> str:
        """What stands beside the figure."""
        if self.lower is None or self.upper is None:
            return f"{self.classifier}: too few to say ({self.size} judged). {self.method}"
        return f"{self.classifier}: n = {self.size}, 95 % interval {self.lower:.4f} to {self.upper:.4f}. {self.method}"


METHODS = {
    "precision": (
        PRECISION,
        (
            "Share of the listings held or refused that were offers, by what moderators found when they looked by their own choice; those"
            " that no person judged, or only after a complaint or notice, are no sample."
        ),
    ),
    "recall": (
        RECALL,
        (
            "Share of all offers that were held or refused: those missed are estimated from allowed listings that were drawn by chance for"
            " a moderator's look, weighted by the inverse of their probability. Notices are no part of it."
        ),
    ),
    "accuracy": (ACCURACY, "Share of all listings that were decided rightly, from the samples of precision and recall together."),
}
NONE_SEEN = "No missed offer was seen among those looked at, so the share is at least the lower bound. "


def quality_of(report: TransparencyReport, classifier: str) -> Iterator[Quality]:
    """What the transparency report estimates, in all and by language; taxon groups are no scope of the sheet."""
    estimates = report.measured_error.estimates if report.measured_error else ()
    for each in estimates:
        if each.dimension not in {"total", "language"}:
            continue
        measure, method = METHODS[each.measure]
        unseen = each.measure == "recall" and not each.offers and each.estimate is not None
        yield Quality(
            classifier=classifier,
            scope=TOTAL if each.dimension == "total" else each.value.partition("-")[0],
            measure=measure,
            value=None if unseen or each.estimate is None else round(each.estimate, DECIMALS),
            lower=each.lower,
            upper=each.upper,
            size=each.judged,
            method=f"{NONE_SEEN}{method}" if unseen else method,
        )


def classifier_of(report: TransparencyReport) -> str:
    """The software by its name, with the versions that were in force."""
    versions = {
        name: sorted(count.value for count in report.counts if count.dimension == f"{name}_version" and count.value)
        for name in ("lexicon", "model", "policy")
    }
    told = "; ".join(f"{name} {', '.join(values)}" for name, values in versions.items() if values)
    return f"Wildgate ({told})" if told else "Wildgate"

"""How good the automated means are, as sheet 8 asks: accuracy, precision and recall, each with what it was measured on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wildgate_service.types import TransparencyReport

FEWEST = 30  # judged listings below which a share says too little
DECIMALS = 4

TOTAL, OWN_INITIATIVE, NOTICES, TRUSTED_FLAGGERS = "Total number", "Own-initiative", "NAM Total", "NAM Trusted Flagger"
ACCURACY, PRECISION, RECALL = "Accuracy", "Precision", "Recall"


class Quality(Struct, frozen=True, kw_only=True):
    """One figure: `measure` (Accuracy, Precision, Recall) of a `classifier` in a `scope`: a scope of sheet 8 or a language code (`sv`).

    `value` is None where the sample of `size` is too small to say; `lower` and `upper` bound the 95 % interval, `method` says how it was
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
        if self.value is None or self.lower is None or self.upper is None:
            return f"{self.classifier}: too few to say ({self.size} judged). {self.method}"
        return f"{self.classifier}: n = {self.size}, 95 % interval {self.lower:.4f} to {self.upper:.4f}. {self.method}"


PRECISION_METHOD = (
    "Of the listings for which the software asked for a look or a stop and on which a moderator had the last word, those whose restriction"
    " the moderator decided or left standing; Wilson interval. Listings that no person judged are no sample."
)


def quality_of(report: TransparencyReport, classifier: str) -> Iterator[Quality]:
    """What the transparency report measured: precision. Notices give no recall, for nobody knows what was not noticed."""
    for share in report.shares:
        if share.name == "precision":
            yield Quality(
                classifier=classifier,
                scope=TOTAL,
                measure=PRECISION,
                value=round(share.count / share.total, DECIMALS) if share.total >= FEWEST else None,
                lower=share.lower,
                upper=share.upper,
                size=share.total,
                method=PRECISION_METHOD,
            )


def classifier_of(report: TransparencyReport) -> str:
    """The software by its name, with the versions that were in force."""
    versions = {
        name: sorted(count.value for count in report.counts if count.dimension == f"{name}_version" and count.value)
        for name in ("lexicon", "model", "policy")
    }
    told = "; ".join(f"{name} {', '.join(values)}" for name, values in versions.items() if values)
    return f"Wildgate ({told})" if told else "Wildgate"

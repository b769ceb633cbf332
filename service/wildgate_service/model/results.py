"""What a training reports: figures with their sample sizes, as they go into JSON and the card."""

import platform
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("numpy", "scikit-learn", "onnxruntime", "tokenizers")


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Share:
    """k of n, with the exact upper 95 % bound (Clopper and Pearson 1934)."""

    count: int
    of: int
    upper: float


@dataclass(frozen=True)
class Figures:
    """One classifier on one labeled set."""

    f1: Interval
    average_precision: Interval


@dataclass(frozen=True)
class Bin:
    """Of the texts with about this probability, how many were positive."""

    texts: int
    predicted: float  # mean probability
    observed: float  # weighted share of positives


@dataclass(frozen=True)
class LabeledSetResults:
    """A head trained on a set labeled by people, beside an n-gram baseline on the same folds."""

    source: str
    rows: int
    positives: int
    groups: int  # of near-duplicates
    figures: dict[str, Figures]  # encoder, ngrams, letters, facts, all
    differences: dict[str, Figures]  # paired, to the baseline
    calibration: tuple[Bin, ...]


@dataclass(frozen=True)
class LanguageResults:
    """The offer head on one language's texts from kept templates, at a probability of .5."""

    found: Share  # offers
    false: Share  # twins and talk


@dataclass(frozen=True)
class NegativeResults:
    """The offer head on held-out real texts of one language and kind."""

    language: str
    source_kind: str
    at_half: Share  # probability at least .5
    at_nine_tenths: Share  # probability at least .9


@dataclass(frozen=True)
class OfferResults:
    """The offer head."""

    lexicon_version: str
    offers: int
    innocent: int
    negatives: int  # trained on
    held_out: int  # real texts, measured on, never trained on
    kept: int  # texts from templates that it was calibrated and measured on, never trained on
    average_precision: Interval  # offers against twins and talk, of the kept
    languages: dict[str, LanguageResults]
    held_out_negatives: tuple[NegativeResults, ...]
    calibration: tuple[Bin, ...]


@dataclass(frozen=True)
class Gain:
    """How well offers are told from twins and talk of kept templates without and with the encoder, in one language or all.

    Areas under the ROC curve, and recalls where a tenth of the other texts passes; differences are paired, both less the screen alone.
    """

    texts: int
    screen: Interval
    encoder: Interval
    both: Interval
    difference: Interval
    recall_of_screen: Interval
    recall_of_both: Interval
    recall_gained: Interval


@dataclass(frozen=True)
class SaleLanguage:
    """What reads like a sale, of one language's kept authored texts, at a probability of .5."""

    offers: Share
    talk: Share


@dataclass(frozen=True)
class SaleResults:
    """What tells sales from talk: a head, or the second table of the screen."""

    trained: int  # texts
    kept: int  # authored texts that it was calibrated on, never trained on
    kept_real: int  # real texts, likewise
    average_precision: float  # sales against talk, of the kept authored texts
    average_precision_real: float  # titles of listings against posts and reviews, of the real ones
    languages: dict[str, SaleLanguage]
    calibration: tuple[Bin, ...]


@dataclass(frozen=True)
class ScreenLanguage:
    """The screen on one language's texts from kept templates, at the log-odds that one held-out real text in a thousand passes."""

    found: Share  # offers
    false: Share  # twins and talk


@dataclass(frozen=True)
class ScreenResults:
    """The screen."""

    version: str
    trained: int  # texts
    kept: int  # texts from templates that it was calibrated on, never trained on
    held_out: int  # real texts, neither
    average_precision: float  # offers against twins and talk, of the kept
    threshold: float  # log-odds
    languages: dict[str, ScreenLanguage]
    held_out_above: Share
    calibration: tuple[Bin, ...]
    sale: SaleResults


@dataclass(frozen=True)
class GroupResults:
    """Heads of taxon groups on kept offers: how often the likeliest is right, of all and of those that have one of at least .5."""

    trained: int  # offers
    groups: tuple[str, ...]
    right: Share
    sure: Share
    right_if_sure: Share


@dataclass(frozen=True)
class Machine:
    """Where a training ran."""

    processor: str
    python: str
    libraries: dict[str, str]


@dataclass(frozen=True)
class Results:
    """A whole training."""

    machine: Machine
    seed: int
    seconds: float
    encoder: str
    encoder_version: str
    encoder_languages: tuple[str, ...]
    labeled: dict[str, LabeledSetResults]
    wildlife_offer: OfferResults
    sale: SaleResults
    groups: GroupResults
    gains: dict[str, Gain] = field(default_factory=dict)  # over the screen alone, by language
    screen: ScreenResults | None = None  # of a training of the screen
    drowned: int = 0  # of the authored texts, those with ordinary words around (`drowned`)
    encoder_source: str = ""
    encoder_licence: str = ""
    deep: "Results | None" = None  # of the deep encoder's heads


def this_machine() -> Machine:
    """Processor and versions of the machine at hand."""
    libraries = {name: version(name) for name in LIBRARIES}
    return Machine(processor_name(), platform.python_version(), libraries)


def processor_name() -> str:
    """The processor's name as Linux tells it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()

"""The card of a folder of heads, written from the figures of its training."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files

from wildgate_service.model.heads import GROUP, HeadConfig
from wildgate_service.model.results import (
    Bin,
    Figures,
    Gain,
    Interval,
    LabeledSetResults,
    LanguageResults,
    NegativeResults,
    OfferResults,
    Results,
    SaleResults,
    ScreenLanguage,
    ScreenResults,
    Share,
)

FEWEST_TITLES = 3000  # below that a share of false positives is too few to say
WORST = 3  # of each kind of failure that the card names
TEMPLATE, SCREEN_TEMPLATE = "card.md", "screen_card.md"
_TWEETS = "ICWSM 2024 study of ivory promotion on a social network; two annotators agree at κ ≈ .80"
LABELED_DATA = f"""\
| leather_titles.tsv | validation set of a SIGMOD 2025 study of animal-product adverts (eBay, eBid) | none stated | `animal_product` |
| ivory_tweets.tsv.gz | {_TWEETS} | research only | `ivory_promotion` |
"""
LABELED_FAILURES = (
    "`animal_product`: its labels are noisy, and more than half of its positives are not protected taxa (beetles, fossils, sheepskin).",
    "`ivory_promotion`: antiques, auctions and mammoth promote ivory too.",
)
LABELED_HEADING = """\
## Heads trained on labels

Grouped, stratified 5-fold cross-validation; near-duplicates (word sets of Jaccard similarity ≥ .6,
numbers dropped) are never on both sides. Thresholds, and the stack `all`, are learned on inner
folds. `… of written` learned from no row of the set, only from texts of its kind that were written for this project
(`written/labels`). Baseline `ngrams`: TF-IDF of words 1-2 and characters 2-5, logistic regression. 95 % intervals
are from a bootstrap over groups; differences are paired. Only the head over the encoder is stored.
"""


def render_card(name: str, heads: dict[str, HeadConfig], figures: Results) -> str:
    """The card in Markdown; every number in it comes from the arguments."""
    template = files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8")
    offers = figures.wildlife_offer
    return template.format(
        name=name,
        encoder=f"{figures.encoder} {figures.encoder_version}",
        languages=" ".join(figures.encoder_languages),
        heads=table(
            ("head", "a probability near 1 means", "prior"),
            map(head_row, ((name, head) for name, head in heads.items() if not name.startswith(GROUP))),
        ),
        labeled=labeled_part(figures),
        labeled_data=LABELED_DATA if figures.labeled else "",
        source=f"{figures.encoder_source} | {figures.encoder_licence}",
        drowned=f"{figures.drowned} of the authored texts are others with ordinary words around. " if figures.drowned else "",
        gains=gains_table(figures.gains),
        failures="\n".join(f"- {line}" for line in failures(figures)),
        untested=" ".join(untested(figures)) or "none",
        offers=offers,
        precision=interval(offers.average_precision),
        offer_languages=language_table(offers.languages),
        negatives=negative_table(offers.held_out_negatives),
        calibration=calibration_table(offers.calibration),
        groups=figures.groups,
        groups_count=len(figures.groups.groups),
        groups_right=share_of(figures.groups.right),
        groups_sure=share_of(figures.groups.sure),
        groups_right_if_sure=share_of(figures.groups.right_if_sure),
        sale=figures.sale,
        sale_languages=sale_table(figures.sale),
        sale_calibration=calibration_table(figures.sale.calibration),
        machine=figures.machine,
        libraries=", ".join(f"{key} {value}" for key, value in figures.machine.libraries.items()),
        seed=figures.seed,
        seconds=f"{figures.seconds:.0f}",
    )


def render_screen_card(name: str, figures: Results, screen: ScreenResults) -> str:
    """The screen's card in Markdown."""
    template = files(__package__).joinpath(SCREEN_TEMPLATE).read_text(encoding="utf-8")
    return template.format(
        name=name,
        screen=screen,
        threshold=f"{screen.threshold:.2f}",
        precision=f"{screen.average_precision:.3f}",
        languages=language_table(screen.languages),
        sale_languages=sale_table(screen.sale),
        calibration=calibration_table(screen.calibration),
        machine=figures.machine,
        libraries=", ".join(f"{key} {value}" for key, value in figures.machine.libraries.items()),
        seed=figures.seed,
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def interval(value: Interval) -> str:
    """A figure with its interval: .812 [.760, .851]."""
    return f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]"


def share(value: Share) -> str:
    """Count, sample size and upper bound."""
    return f"{value.count}/{value.of} (≤ {value.upper:.2%})" if value.of else "no data"


def head_row(item: tuple[str, HeadConfig]) -> tuple[str, ...]:
    """Name, meaning and prior of a head."""
    name, config = item
    return f"`{name}`", config.description, f"{config.prior:.3f}"


def labeled_part(figures: Results) -> str:
    """The heads trained on labels, if any were."""
    sections = "\n".join(labeled_section(*item) for item in figures.labeled.items())
    return f"{LABELED_HEADING}\n{sections}" if sections else ""


def gains_table(gains: Mapping[str, Gain]) -> str:
    """The screen alone, the head alone and both, by language."""
    rows = (
        (name, str(each.texts), *map(interval, (each.screen, each.encoder, each.both, each.difference, each.recall_gained)))
        for name, each in gains.items()
    )
    return table(("language", "texts", "screen", "head", "both", "both less screen", "recall gained"), rows)


def labeled_section(name: str, results: LabeledSetResults) -> str:
    """A head trained on labels, beside its baseline."""
    rows = [figure_row(key, value) for key, value in results.figures.items()]
    rows += [figure_row(f"{key} less ngrams", value) for key, value in results.differences.items()]
    return (
        f"### `{name}`\n\n"
        f"`{results.source}`: {results.rows} rows, {results.positives} positive, "
        f"{results.groups} groups of near-duplicates.\n\n"
        f"{table(('classifier', 'F1', 'average precision'), rows)}\n\n"
        f"{calibration_table(results.calibration)}\n"
    )


def figure_row(name: str, figures: Figures) -> tuple[str, ...]:
    """One classifier's figures."""
    return name, interval(figures.f1), interval(figures.average_precision)


def language_table(languages: Mapping[str, LanguageResults | ScreenLanguage]) -> str:
    """What was found of the kept templates' texts, by language."""
    rows = ((name, share_of(each.found), share_of(each.false)) for name, each in languages.items())
    return table(("language", "offers found", "twins and talk called offers"), rows)


def sale_table(results: SaleResults) -> str:
    """What reads like a sale, by language."""
    rows = ((name, share_of(each.offers), share_of(each.talk)) for name, each in results.languages.items())
    return table(("language", "offers that read like a sale", "talk that does"), rows)


def share_of(value: Share) -> str:
    """Count and sample size."""
    return f"{value.count}/{value.of}"


def negative_table(negatives: Sequence[NegativeResults]) -> str:
    """False positives among the real texts that were never trained on."""
    columns = ("language", "text", "at ≥ .5", "at ≥ .9", "")
    return table(columns, map(negative_row, negatives))


def negative_row(results: NegativeResults) -> tuple[str, ...]:
    """One line of false positives, with a warning where the sample says little."""
    shares = share(results.at_half), share(results.at_nine_tenths)
    few = results.at_half.of < FEWEST_TITLES
    return results.language, results.source_kind, *shares, "too few to say" if few else ""


def calibration_table(bins: Sequence[Bin]) -> str:
    """Predicted against observed."""
    rows = [(str(one.texts), f"{one.predicted:.3f}", f"{one.observed:.3f}") for one in bins]
    return table(("texts", "mean probability", "share positive"), rows)


def untested(figures: Results) -> list[str]:
    """Languages the encoder reads of which no authored offer exists."""
    return sorted(set(figures.encoder_languages) - set(figures.wildlife_offer.languages))


def failures(figures: Results) -> Iterator[str]:
    """What the figures say against the heads."""
    for name, results in figures.labeled.items():
        yield failure_of_set(name, results)
    yield from failures_of_offers(figures.wildlife_offer)
    yield from (LABELED_FAILURES if figures.labeled else ())


def failure_of_set(name: str, results: LabeledSetResults) -> str:
    """How the stored head compares with n-grams, which are not stored."""
    gap = results.differences["encoder"].average_precision
    words = "worse than" if gap.high < 0 else "not shown to be worse than"
    figure = f"average precision {interval(gap)} apart"
    return f"`{name}`: {words} n-grams on texts like its own ({figure})."


def failures_of_offers(offers: OfferResults) -> Iterator[str]:
    """The twins, the weakest languages and the most false positives."""
    innocent = sum(one.false.of for one in offers.languages.values())
    false = sum(one.false.count for one in offers.languages.values())
    yield f"`wildlife_offer`: calls {false} of {innocent} twins and talk offers at ≥ .5."
    weakest = sorted((one.found.count / max(one.found.of, 1), name) for name, one in offers.languages.items())[:WORST]
    yield f"`wildlife_offer`: finds least in {', '.join(f'{name} {found:.0%}' for found, name in weakest) or 'no data'}."
    worst = sorted(offers.held_out_negatives, key=rate, reverse=True)[:WORST]
    listed = ", ".join(f"{one.language} {one.source_kind} {share(one.at_half)}" for one in worst)
    yield f"`wildlife_offer`: most false positives at ≥ .5: {listed or 'no data'}."


def rate(results: NegativeResults) -> float:
    """Share of false positives at one half."""
    return results.at_half.count / max(results.at_half.of, 1)

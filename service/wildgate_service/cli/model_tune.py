"""`wildgate model tune`: the first encoder's layers, trained on for this task."""

from __future__ import annotations

from pathlib import Path

import click

from wildgate_service.errors import ModelError
from wildgate_service.lexicon import default_lexicons
from wildgate_service.model.tuned import TUNED


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder with negatives.tsv.gz.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=TUNED,
    show_default="that of the installed models",
    help="Folder to write the tuned layers into.",
)
@click.option("--texts", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Your own labeled texts, as for `model train`.")
@click.option("--wheel", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The wheel, if it was downloaded already.")
@click.option(
    "--epochs", type=click.IntRange(1), default=3, show_default=True, help="How often the texts written one by one are gone through."
)
@click.option("--seed", type=int, default=0, show_default=True)
def tune(data: Path, output: Path, texts: Path | None, wheel: Path | None, epochs: int, seed: int) -> None:
    """Train the layers of the first encoder on for this task. Needs the extras `train` and `export`, and half an hour.

    Then `wildgate model build` makes an encoder of them, and `wildgate model train` and `fuse` what rests on it.
    """
    from wildgate_service.model.authored import read_authored, read_labeled, to_train_on  # noqa: PLC0415
    from wildgate_service.model.training_data import read_negatives  # noqa: PLC0415

    try:
        from wildgate_service.model.tune import tune_encoder  # noqa: PLC0415  (loads torch)
    except ImportError as error:
        raise ModelError(f"tuning needs the extras `train` and `export` ({error}); pip install 'wildgate-service[train,export]'") from error

    written = to_train_on(read_authored(default_lexicons(), seed, labeled=read_labeled(texts) if texts else []))
    config = tune_encoder(written, read_negatives(data), output, seed, wheel=wheel, epochs=epochs, say=click.echo)
    click.echo(f"tuned layers {config.weights_sha256[:12]} in {output}; now run `wildgate model build` and `wildgate model train`")

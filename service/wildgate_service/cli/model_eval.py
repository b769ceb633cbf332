"""`wildgate model eval`: what the models get right and wrong, and whether new ones may replace old ones."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wildgate_service.errors import ModelError
from wildgate_service.quality import HALVES, TIERS

if TYPE_CHECKING:
    from wildgate_service.quality.measuring import Evaluation

FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
LEAST = 20


@click.command("eval")
@click.option(
    "--texts",
    "files",
    type=FILE,
    multiple=True,
    required=True,
    help="Labeled texts, JSON Lines; may be given several times: functional texts (id, functionality, language, title, expected, and if "
    "you like description, kind and pair) or labeled lines (text, label, language).",
)
@click.option("--half", type=click.Choice(HALVES), default="all", show_default=True, help="Which texts to use.")
@click.option("--data", type=FOLDER, help="Folder with negatives.tsv.gz: false alarms on what is held out. Needs the extra `train`.")
@click.option("--models", type=FOLDER, help="Folder of screen-*, heads-* and fusion-*; default: the setting models, else those that ship.")
@click.option("--against", type=FOLDER, help="Such a folder of old models; status 1 unless the new ones are worse in no language.")
@click.option("--least", type=click.IntRange(1), default=LEAST, show_default=True, help="Texts that --against asks for in each language.")
@click.option("--policy", type=FILE, help="Policy file; default: the setting policy, else the one that ships.")
@click.option(
    "--tier",
    "tiers",
    type=click.Choice(TIERS),
    multiple=True,
    default=TIERS,
    show_default="each",
    help="Measure this tier alone; may be given several times. The tables are of the first.",
)
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True, help="Tables, or all figures.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write to; default: print.")
@click.option("--diagram", type=click.Path(path_type=Path, dir_okay=False), help="Draw reliability as SVG here. Needs the extra `train`.")
def evaluate(
    files: tuple[Path, ...],
    half: str,
    data: Path | None,
    models: Path | None,
    against: Path | None,
    least: int,
    policy: Path | None,
    tiers: tuple[str, ...],
    form: str,
    output: Path | None,
    diagram: Path | None,
) -> None:
    """Measure the models on labeled texts: by language, functionality and tier, calibration and cost; hold them against old ones.

    With --against, exit status 0 says promote; 1 that the new models are worse in a language beyond chance (exact McNemar test, 5 %), or
    that a language has fewer than --least texts. 2: texts or models are missing, damaged or contradict themselves.
    """
    from wildgate_service.local import local_engine  # noqa: PLC0415  (loads the models' libraries)
    from wildgate_service.model.folder import find_models  # noqa: PLC0415
    from wildgate_service.quality import measuring, shown  # noqa: PLC0415

    engine = local_engine(policy=policy, models=find_models(models) if models else None)
    try:
        found = measuring.evaluate(engine, files, half=half, tiers=tiers, against=against, least=least, data=data)
        if diagram:
            _draw(found, diagram)
    except ModuleNotFoundError as error:
        raise ModelError(f"--data and --diagram need the extra: pip install 'wildgate-service[train]' ({error.name} is missing)") from error
    _give(shown.as_json(found) if form == "json" else shown.as_text(found), output)
    if found.comparison:
        if output or form == "json":
            click.echo(found.comparison.verdict, err=True)
        sys.exit(0 if found.comparison.promote else 1)


def _draw(found: Evaluation, path: Path) -> None:
    from wildgate_service.model.reliability import draw_reliability  # noqa: PLC0415

    draw_reliability(path, {each.tier: each.calibration.bins for each in found.tiers})


def _give(made: str, output: Path | None) -> None:
    if output is None:
        click.echo(made, nl=False)
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(made, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"cannot write {output}: {error.strerror}") from error
    click.echo(output)

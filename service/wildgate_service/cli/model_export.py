"""`wildgate model export`: any sentence-transformers model as the service's encoder."""

from __future__ import annotations

from pathlib import Path

import click

from wildgate_service.errors import ModelError


@click.command()
@click.option(
    "--encoder", "name", required=True, help="A folder that sentence-transformers saved, or a name that a model hub in reach has."
)
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write; must not exist yet.")
@click.option(
    "--languages", default="", help="Languages it reads, as in en,zh,vi. Without it they are measured with the phrases that ship."
)
@click.option("--max-tokens", type=click.IntRange(8, 512), default=64, show_default=True, help="Tokens of a text that are read.")
@click.option("--prefix", default="", help="What the model was trained to find before every text, such as 'query: '.")
@click.option("--licence", default="not stated", show_default=True, help="Licence of the weights, for config.json and cards.")
@click.option("--float32", is_flag=True, help="Do not quantize: four times the size, two to three times the time.")
def export(name: str, output: Path, languages: str, max_tokens: int, prefix: str, licence: str, *, float32: bool) -> None:
    """Turn a sentence-transformers model into an int8 ONNX encoder, held against the original. Needs the extra `export`.

    Then `wildgate model train --encoder FOLDER` trains heads for it, and the setting `encoder` makes the service use it.
    """
    try:
        from wildgate_service.model.export import ExportOptions, export_encoder  # noqa: PLC0415  (loads torch)
    except ImportError as error:
        raise ModelError(f"exporting needs the extra `export` ({error}); pip install 'wildgate-service[export]'") from error

    chosen = tuple(filter(None, (each.strip() for each in languages.split(","))))
    config, parity = export_encoder(name, output, ExportOptions(max_tokens, prefix, chosen, not float32, licence))
    shares = sorted(config.measured.items(), key=lambda item: -item[1])
    click.echo(f"encoder in {output}: {config.name} {config.version}, {config.dimension} numbers a text")
    click.echo(str(parity))
    click.echo(f"reads {' '.join(config.languages) or 'no language that was measured: name them with --languages'}")
    if shares:
        click.echo("phrases nearest to their translation: " + ", ".join(f"{language} {share:.0%}" for language, share in shares))

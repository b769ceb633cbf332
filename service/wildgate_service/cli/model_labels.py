"""`wildgate model labels`: what people decided after the service did, as labeled lines to train and to measure on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from wildgate_service.model.labeled_texts import LabeledLine
    from wildgate_service.model.outcome_labels import Labels
    from wildgate_service.outcomes import Following
    from wildgate_service.types import Listing

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
SOURCES = (
    click.option("--outcomes", metavar="STORE", help="URL of the store: what people decided after the service did gives labels."),
    click.option(
        "--listings",
        type=FILE,
        help="Texts of the outcomes, which the store does not keep: lines as `score --input` reads them, with id or request_id.",
    ),
    click.option("--secrets", type=FILE, help="The service's secrets file: leaves out texts that are not those that were decided on."),
    click.option("--tenant", help="Outcomes of this tenant alone; all if not given."),
)


def of_outcomes(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say where labels come from."""
    for option in reversed(SOURCES):
        command = option(command)
    return command


@click.command("labels")
@of_outcomes
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File of the labeled lines, for `model train --texts`."
)
@click.option(
    "--held-out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of a fifth of them, for `model eval --texts`; not in --output then. `model train --outcomes` never trains on it.",
)
def labels(
    outcomes: str | None, listings: Path | None, secrets: Path | None, tenant: str | None, output: Path, held_out: Path | None
) -> None:
    """Write labeled texts from moderators' decisions, decided complaints, and notices upheld against listings that were allowed.

    Of one text the strongest word counts, a complaint's over a moderator's, and of these the latest. What software applied by itself is no
    label. Prints how many of each there were, and how many outcomes had no text.
    """
    if outcomes is None or listings is None:
        raise click.UsageError("give --outcomes STORE and --listings FILE: the store knows what was decided, and the file of which texts")
    from wildgate_service.model.outcome_labels import is_held_out  # noqa: PLC0415  (loads the models' libraries)

    found = labels_of(outcomes, listings, secrets, tenant)
    write_lines(output, [line for line in found.lines if not (held_out and is_held_out(line))])
    if held_out:
        write_lines(held_out, filter(is_held_out, found.lines))
    click.echo(str(found))


def labels_of(store: str, listings: Path, secrets: Path | None, tenant: str | None) -> Labels:
    """The labels of a store's outcomes. Raises WildgateError where a store or file cannot be read."""
    from wildgate_service.model.exported_texts import ExportedTexts  # noqa: PLC0415
    from wildgate_service.model.outcome_labels import label_outcomes  # noqa: PLC0415
    from wildgate_service.record import fingerprint_of  # noqa: PLC0415
    from wildgate_service.secrets import load_secrets  # noqa: PLC0415
    from wildgate_service.store import open_store  # noqa: PLC0415

    texts = ExportedTexts.read(listings)
    keys = load_secrets(secrets, create=False) if secrets else None
    with open_store(store, read_only=True) as opened:

        def fits(told: Following, listing: Listing) -> bool:
            """Whether a listing is what was decided on; true where nobody can tell."""
            key = keys.known_key(told.tenant) if keys else None
            known = opened.fingerprint_at(told.position) if key and told.position else ""
            return not known or key is None or fingerprint_of(listing, key) == known

        return label_outcomes(opened.following(tenant), texts, fits)


def write_lines(path: Path, lines: Iterable[LabeledLine]) -> None:
    """One JSON object a line."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}") from error

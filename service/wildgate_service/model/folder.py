"""A folder of trained models: a screen, heads and a fusion, each in a folder of its own that begins with its name."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from wildgate_service.errors import ModelError

SHIPPED = Path(__file__).parent.parent / "models"
PRIORS = SHIPPED / "fusion-priors"  # weights set by hand; a start for fitting, no model
DEEP_HEADS = "heads-deep"  # begins the folder of the deep encoder's heads
OTHERS = (PRIORS.name, DEEP_HEADS)  # what begins with a kind and is none of it
MADE_BY = {
    "screen": "wildgate model train",
    "heads": "wildgate model train",
    DEEP_HEADS: "wildgate model train",
    "fusion": "wildgate model fuse",
}


class ModelFolder(Struct, frozen=True):
    """Where each model of one folder lies."""

    screen: Path
    heads: Path
    fusion: Path
    deep: Path | None = None  # heads of the deep encoder


def find_models(folder: Path | None = None, *, fusion: Path | None = None) -> ModelFolder:
    """The models in a folder (None: those that ship). `fusion`, if given, stands for the folder's own, which then need not be there.

    Raises ModelError where a model is missing or there are two of a kind: which one was meant would be a guess.
    """
    chosen = folder or SHIPPED
    deep = _only(DEEP_HEADS, chosen) if any(chosen.glob(f"{DEEP_HEADS}-*")) else None
    return ModelFolder(_only("screen", chosen), _only("heads", chosen), fusion or _only("fusion", chosen), deep)


def _only(kind: str, folder: Path) -> Path:
    found = sorted(path for path in folder.glob(f"{kind}-*") if path.is_dir() and (kind in OTHERS or not path.name.startswith(OTHERS)))
    if not found:
        raise ModelError(f"no model {kind}-* in {folder}: `{MADE_BY[kind]} --output` writes one, or copy that of {SHIPPED}")
    if len(found) > 1:
        raise ModelError(f"{folder} holds {' and '.join(path.name for path in found)}: move all but one {kind} elsewhere")
    return found[0]

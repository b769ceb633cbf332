"""Collect the regular expressions of service and SDK, and have regexploit prove each. Prints their number, then those that fail."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from pathlib import Path
from typing import Any

import wildgate
import wildgate_service
from regexploit.ast.sre import SreOpParser
from regexploit.redos import find

FUZZ = Path(__file__).parents[1] / "fuzz"
SEEDS = 30  # of each target

found: dict[tuple[Any, int], str] = {}
compiled = re._compile  # type: ignore[attr-defined]


def noting(pattern: Any, flags: int) -> re.Pattern[Any]:
    """What `re` does, and a note of who asked for it."""
    made: re.Pattern[Any] = compiled(pattern, flags)
    caller = sys._getframe(2)
    if caller.f_globals.get("__name__", "").startswith("wildgate"):
        found.setdefault((made.pattern, made.flags), f"{caller.f_globals['__name__']}:{caller.f_lineno}")
    return made


def compile_all() -> None:
    """Import every module that can be imported here, and read every kind of input."""
    for package in (wildgate_service, wildgate):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError:  # of an extra that is not installed
                continue
    sys.path.insert(0, str(FUZZ))
    from seeds import seeds  # noqa: PLC0415
    from targets import TARGETS  # noqa: PLC0415

    for target in TARGETS.values():
        for data in seeds(target)[:SEEDS]:
            target(data)


re._compile = noting  # type: ignore[attr-defined]
compile_all()
re._compile = compiled  # type: ignore[attr-defined]
sys.stdout.write(f"{len(found)}\n")
for (pattern, flags), place in sorted(found.items(), key=lambda each: each[1]):
    text = pattern if isinstance(pattern, str) else pattern.decode("latin-1")
    for weakness in find(SreOpParser().parse_sre(text, flags & ~re.UNICODE)):
        sys.stdout.write(f"{place} {weakness.starriness} {text[:200]}\n")

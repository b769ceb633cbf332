"""`wildgate …` on a transport that is not adopted: its `server.py` stands in for the service's own, and all else is the real service.

Usage: python benchmarks/transports/serve_on.py NAME serve --port 0        where candidates/NAME/server.py is
"""

from __future__ import annotations

import sys
from pathlib import Path

import wildgate_service

HERE = Path(__file__).parent
CANDIDATES = HERE / "candidates"


def take_from(name: str) -> None:
    """Have the worker find the candidate's `server` before the service's, which it looks for after its fork."""
    folder = CANDIDATES / name
    if not (folder / "server.py").exists():
        known = ", ".join(sorted(path.name for path in CANDIDATES.iterdir()))
        raise SystemExit(f"there is no candidate {name}; choose one of {known}")
    wildgate_service.__path__.insert(0, str(folder))
    sys.path.insert(0, str(HERE))


if __name__ == "__main__":
    take_from(sys.argv.pop(1))
    from wildgate_service.cli import main

    main()

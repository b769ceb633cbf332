"""No regular expression of service or SDK backtracks exponentially, nor by more than the square."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROVE = Path(__file__).with_name("prove_regular_expressions.py")


def test_every_expression_is_at_most_square():
    """All that are compiled while every module is imported and every kind of input is read, in a process of its own."""
    ended = subprocess.run([sys.executable, "-W", "ignore", PROVE], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.splitlines()[1:]) == (0, []), ended.stderr
    assert int(ended.stdout.split()[0]) > 100

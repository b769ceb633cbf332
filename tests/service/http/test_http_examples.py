"""The examples of docs/http.md, run as they stand by bash and curl: what they show is in what comes back."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "http.md"
EXAMPLES = re.findall(r"^```bash\n(.*?)^```\n```(json|text)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
WILDGATE = f'#!/bin/sh\nexec {sys.executable} -c "from wildgate_service.cli import main; main()" "$@"\n'


@pytest.fixture
def shell(start_small, run_wildgate, tmp_path):
    """Run a script where URL and KEY are set, and `wildgate` is of this checkout."""
    service = start_small(http_port=0)
    made = run_wildgate("keys", "create", "--tenant", "shop", "--store", service.store)
    service.wait_for("keys_changed")
    (tmp_path / "wildgate").write_text(WILDGATE, encoding="utf-8")
    (tmp_path / "wildgate").chmod(0o755)
    own = {"URL": f"http://{service.http}", "KEY": made.stdout.split()[0], "WILDGATE_STORE": service.store}
    variables = os.environ | own | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}

    def run(script):
        done = subprocess.run(["bash", "-euc", script], env=variables, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        if "limits set" in script:
            service.wait_for("limits_changed")
        return done.stdout + done.stderr

    return run


def fits(shown, real):
    """Whether all that is shown is in the real answer; "…" stands for anything."""
    if shown == "…":
        return True
    if isinstance(shown, dict):
        return isinstance(real, dict) and all(name in real and fits(value, real[name]) for name, value in shown.items())
    if isinstance(shown, list):
        return isinstance(real, list) and len(shown) <= len(real) and all(map(fits, shown, real))
    return shown == real


@pytest.mark.slow
def test_examples_of_the_page_answer_what_it_shows(shell):
    """In their order, with curl, which must be installed."""
    assert shutil.which("curl"), "install curl: apt-get install curl"
    for script, kind, shown in EXAMPLES:
        answered = shell(script)
        if kind == "json":
            assert fits(json.loads(shown), json.loads(answered)), answered
        else:
            assert [line for line in shown.splitlines() if line not in answered] == [], answered


def test_page_has_its_examples():
    """A call, a batch, an outcome, a bad key, a misspelled field, a limit and what it does."""
    assert len(EXAMPLES) == 7

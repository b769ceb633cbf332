"""The shipped lexicons, read once."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from wildgate_service.cli import root
from wildgate_service.lexicon import load_compiled
from wildgate_service.lexicon.lock import write_lock
from wildgate_service.lexicon.rules import read_rules

SMALL = Path(__file__).parent / "small"


@pytest.fixture(scope="session")
def lexicon(compiled_lexicon):
    """The shipped lexicons."""
    return load_compiled(compiled_lexicon)


@pytest.fixture(scope="session")
def cache(tmp_path_factory, make_cache):
    """Where the commands keep what they compile; the shipped lexicons are there."""
    return make_cache(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def wildgate(cache, monkeypatch):
    """The command line in this process: `wildgate("lexicon", "lint")` is (status, standard output)."""
    monkeypatch.setenv("WILDGATE_CACHE", str(cache))

    def run(*arguments):
        result = CliRunner().invoke(root, [str(argument) for argument in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout

    return run


@pytest.fixture
def make_lexicon(tmp_path):
    """Makes a small lexicon folder, each with its own edits of the rule file: pairs of texts, the first replaced by the second."""

    def make(name, *edits):
        folder = tmp_path / name
        rules = folder / "rules" / "en"
        rules.mkdir(parents=True)
        for table in ("taxa.csv", "protection.csv", "unions.csv"):
            (folder / table).write_text((SMALL / table).read_text(encoding="utf-8"), encoding="utf-8")
        (folder / "VERSION").write_text("1.0.0\n", encoding="utf-8")
        text = (SMALL / "rules.yml").read_text(encoding="utf-8")
        for before, after in edits:
            assert before in text
            text = text.replace(before, after)
        (rules / "rules.yml").write_text(text, encoding="utf-8")
        write_lock(folder, read_rules(folder))
        return folder

    return make

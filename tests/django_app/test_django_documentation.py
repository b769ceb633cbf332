"""What docs/django.md says is what the code knows."""

import re
from pathlib import Path

import pytest
from wildgate.contrib.django import conf, watched

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "django.md").read_text(encoding="utf-8")
PLATFORMS = REPOSITORY / "tests" / "integration"


@pytest.mark.parametrize("name", conf.FIELDS)
def test_every_setting_stands_in_the_table_with_its_default(name):
    """As it is declared."""
    default, said = conf.FIELDS[name]
    shown = "required" if name in conf.REQUIRED else f"`{default!r}`"
    assert f"| `{name}` | {shown} | {said} |" in PAGE


@pytest.mark.parametrize("name", watched.KEYS)
def test_every_key_of_a_model_stands_in_the_table(name):
    """As it is declared."""
    assert f"| `{name}` | {watched.KEYS[name]} |" in PAGE


def test_the_table_has_nothing_that_the_code_does_not_know():
    """No setting of old."""
    tables = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert conf.FIELDS.keys() | watched.KEYS.keys() == tables - {"WILDGATE"}


@pytest.mark.parametrize("name", ["shop", "forum"])
def test_a_platform_writes_no_more_than_ten_lines(name):
    """Those between the marks in the settings of the platform that is tested."""
    settings = (PLATFORMS / name / f"{name}_settings.py").read_text(encoding="utf-8")
    block = settings.partition("begins here,\n")[2].partition("# and ends here")[0]
    assert 0 < len([line for line in block.splitlines() if line.strip()]) <= 10

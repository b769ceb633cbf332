"""What docs/django.md says is what the code knows."""

import re
from pathlib import Path

import pytest
from wildgate.contrib.django import conf, watched

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "django.md").read_text(encoding="utf-8")
SHOP = (REPOSITORY / "tests" / "integration" / "shop" / "shop_settings.py").read_text(encoding="utf-8")


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


def test_a_shop_writes_no_more_than_ten_lines():
    """Those between the marks in the settings of the shop that is tested."""
    block = SHOP.partition("begins here,\n")[2].partition("    # and ends here")[0]
    assert len([line for line in block.splitlines() if line.strip()]) <= 10

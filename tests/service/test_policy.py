"""Policy files: which threshold holds for whom, and everything that can be wrong with one."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from wildgate_service.cli import root
from wildgate_service.errors import PolicyError
from wildgate_service.lexicon.taxa import GROUPS
from wildgate_service.policy import default_policy, load_policy, policy_of_text

DSA = "".join(f'{name} = "X"\n' for name in ("decision_ground", "category_parts", "keyword_parts", "category_live", "keyword_live"))
THRESHOLDS = "[thresholds]\nreview = 0.5\nblock = 0.9\n"
REASONS = "".join(f'{name} = "{name}"\n' for name in ("block", "review", "covered", "legal", "allow", "explained"))
NOTICES = '[notices.block]\nen = "no"\n[notices.review]\nen = "wait"\n'


def policy_text(more: str = "", *, version='"1"', top="", thresholds=THRESHOLDS, reasons=REASONS, notices=NOTICES, dsa=DSA) -> str:
    """A small policy with one part put in the place of another."""
    return f"version = {version}\n{top}\n{thresholds}[reasons]\n{reasons}{notices}[dsa.default]\n{dsa}{more}"


def limits(more: str, group: str = "elephant", market: str = "", tenant: str = "") -> tuple[float, float]:
    return policy_of_text(policy_text(more), "p.toml").thresholds.of(group, market, tenant)


# --- what holds ----------------------------------------------------------------------------------

LAYERS = [
    "[groups.elephant]\nreview = 0.1\n",
    "[markets.SG]\nreview = 0.2\n",
    "[markets.SG.groups.elephant]\nreview = 0.3\n",
    "[tenants.shop]\nreview = 0.4\n",
    "[tenants.shop.groups.elephant]\nreview = 0.45\n",
]


@pytest.mark.parametrize(("count", "expected"), [(0, 0.5), (1, 0.1), (2, 0.2), (3, 0.3), (4, 0.4), (5, 0.45)])
def test_the_later_of_group_market_and_tenant_wins(count, expected):
    """Each layer over those before it; what it leaves out stays as it was."""
    assert limits("".join(LAYERS[:count]), "elephant", "SG", "shop") == (expected, 0.9)


@pytest.mark.parametrize(
    ("group", "market", "tenant", "expected"),
    [
        ("rhino", "", "", 0.5),
        ("elephant", "", "", 0.1),
        ("rhino", "SG", "", 0.2),
        ("elephant", "SG", "", 0.3),
        ("elephant", "VN", "", 0.1),
        ("rhino", "SG", "shop", 0.4),
        ("elephant", "", "shop", 0.45),
        ("elephant", "SG", "other", 0.3),
    ],
)
def test_a_threshold_holds_for_its_group_market_and_tenant_alone(group, market, tenant, expected):
    """All five layers in one file."""
    assert limits("".join(LAYERS), group, market, tenant) == (expected, 0.9)


def test_review_and_block_are_set_apart():
    """A layer may say one of them."""
    assert limits("[groups.elephant]\nblock = 0.7\n[markets.SG]\nreview = 0.6\n", market="SG") == (0.6, 0.7)


def test_a_threshold_of_nought_is_one():
    """It is not "not said"."""
    assert limits("[groups.elephant]\nreview = 0\nblock = 0\n") == (0, 0)


@pytest.mark.parametrize(
    ("more", "market", "tenant", "expected"),
    [
        ("", "", "", False),
        ("[markets.SG]\nshadow = true\n", "SG", "", True),
        ("[markets.SG]\nshadow = true\n", "VN", "", False),
        ("[tenants.shop]\nshadow = true\n", "SG", "shop", True),
        ("[markets.SG]\nshadow = true\n[tenants.shop]\nshadow = false\n", "SG", "shop", False),
        ("[markets.SG]\nshadow = true\n[tenants.shop]\nreview = 0.4\n", "SG", "shop", True),
    ],
)
def test_shadow_is_the_tenants_else_the_markets_else_the_files(more, market, tenant, expected):
    """A tenant that says nothing of it has its market's."""
    assert policy_of_text(policy_text(more), "p").is_shadow(market, tenant) is expected
    assert policy_of_text(policy_text(more, top="shadow = true"), "p").is_shadow("", "") is True


# --- the policy that ships -----------------------------------------------------------------------


def test_the_default_policy_never_blocks_on_mammoth_alone():
    """No probability reaches its threshold."""
    assert load_policy(default_policy()).thresholds.of("mammoth", "", "")[1] > 1


@pytest.mark.parametrize("group", GROUPS)
def test_the_default_policy_reviews_before_it_blocks(group):
    """In every group."""
    review, block = load_policy(default_policy()).thresholds.of(group, "", "")
    assert 0 < review < block


def test_the_default_policy_speaks_every_language_to_both():
    """Who is refused and who waits."""
    notices = load_policy(default_policy()).notices
    languages = {"en", "zh", "vi", "th", "id", "ms", "tl", "ja", "ko", "ar", "hi", "ru", "es", "pt", "fr", "de", "it", "tr", "sw"}
    assert set(notices["block"]) == set(notices["review"]) >= languages


# --- what can be wrong ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = ", "Invalid value"),
        (policy_text("[groups.elephant\n"), "Expected ']'"),
        (policy_text().replace("version", "edition"), "Object contains unknown field `edition`"),
        (policy_text(version="1"), "Expected `str`, got `int` - at `$.version`"),
        (policy_text(thresholds='[thresholds]\nreview = "0.5"\n'), "Expected `float | null`, got `str` - at `$.thresholds.review`"),
        (policy_text(thresholds="[thresholds]\nreview = 0.5\n"), "thresholds needs both review and block"),
        (policy_text(thresholds="[thresholds]\nreview = 0.9\nblock = 0.5\n"), "thresholds has review over block"),
        (policy_text(thresholds="[thresholds]\nreview = -0.1\nblock = 0.5\n"), "thresholds is -0.1, not between 0 and 1.01"),
        (policy_text(thresholds="[thresholds]\nreview = nan\nblock = 0.5\n"), "thresholds is nan, not between 0 and 1.01"),
        (policy_text("[groups.elephant]\nblock = 90\n"), "groups.elephant is 90.0, not between 0 and 1.01"),
        (policy_text("[groups.elephant]\nallow = 0.1\n"), "Object contains unknown field `allow`"),
        (policy_text("[groups.elefant]\nblock = 0.5\n"), "groups.elefant: unknown taxon group"),
        (policy_text("[markets.SG.groups.elefant]\nblock = 0.5\n"), "markets.SG.groups.elefant: unknown taxon group"),
        (policy_text("[tenants.shop.groups.elefant]\nblock = 0.5\n"), "tenants.shop.groups.elefant: unknown taxon group"),
        (policy_text("[markets.SG]\nblock = 2\n"), "markets.SG is 2.0, not between 0 and 1.01"),
        (policy_text("[markets.SG]\nshadow = 1\n"), "Expected `bool | null`, got `int` - at `$.markets[...].shadow`"),
        (policy_text("[markets.SG]\nthreshold = 0.3\n"), "Object contains unknown field `threshold` - at `$.markets[...]`"),
        (policy_text("[tenants.shop.groups.elephant]\nreview = 0.8\nblock = 0.7\n"), "tenants.shop.groups.elephant has review over block"),
        (policy_text(reasons=REASONS.replace('legal = "legal"\n', "")), "reasons.legal is missing"),
        (
            policy_text(reasons=REASONS.replace('"block"', '"{grups}"')),
            "reasons.block: unknown slot {grups}; known are cues, groups, score, surfaces",
        ),
        (policy_text(reasons=REASONS.replace('"block"', '"{}"')), "reasons.block: unknown slot {}"),
        (policy_text(reasons=REASONS.replace('"block"', '"{groups"')), "reasons.block: cannot be filled in: expected '}'"),
        (policy_text(reasons=REASONS.replace('"block"', '"{score:.3f}"')), "reasons.block: cannot be filled in: Unknown format code 'f'"),
        (policy_text(reasons=REASONS.replace('"allow"', '"{score}"')), "reasons.allow: unknown slot {score}; known are none here"),
        (policy_text(notices='[notices.block]\nde = "nein"\n[notices.review]\nen = "wait"\n'), "notices.block.en is missing"),
        (policy_text(notices='[notices.block]\nen = "no"\n'), "notices.review.en is missing"),
        (policy_text(dsa=DSA.replace("keyword_live", "keyword_alive")), "Object contains unknown field `keyword_alive` - at `$.dsa[...]`"),
        (policy_text().partition("[dsa")[0], "Object missing required field `dsa`"),
    ],
)
def test_what_is_wrong_is_said_with_the_key_that_is_wrong(text, said):
    """And with the file's name in front."""
    with pytest.raises(PolicyError) as caught:
        policy_of_text(text, "mine.toml")
    assert str(caught.value).startswith("policy mine.toml: ")
    assert said in str(caught.value)


def test_all_problems_are_said_at_once():
    """Nobody mends a file one error at a time."""
    text = policy_text("[groups.elefant]\nblock = 7\n", reasons=REASONS.replace('legal = "legal"\n', ""))
    with pytest.raises(PolicyError, match=r"groups.elefant is 7.0.*; groups.elefant: unknown.*; reasons.legal is missing"):
        policy_of_text(text, "p")


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), (b'version = "\xff"', "can't decode byte 0xff")])
def test_a_file_that_cannot_be_read_is_a_policy_error(tmp_path, content, said):
    """Missing, or not UTF-8."""
    path = tmp_path / "p.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PolicyError, match=said):
        load_policy(path)


# --- the command ---------------------------------------------------------------------------------


def test_policy_check_says_what_a_sound_policy_does(tmp_path):
    """Version, thresholds, shadow, counts."""
    path = tmp_path / "mine.toml"
    path.write_text(policy_text("[groups.elephant]\nreview = 0\n[markets.SG]\n", version='"7"', top="shadow = true"), encoding="utf-8")
    done = CliRunner().invoke(root, ["policy", "check", str(path)])
    assert (done.exit_code, done.output.splitlines()) == (
        0,
        [
            f"{path}: policy 7 is sound",
            "review from 0.5, block from 0.9; shadow: on",
            "  elephant: review from 0.0, block from 0.9",
            "notices in 1 languages; markets: 1, tenants: 0",
        ],
    )


def test_policy_check_looks_at_the_default_policy_unless_told(tmp_path):
    """And at a broken one ends with its error."""
    assert CliRunner().invoke(root, ["policy", "check"]).exit_code == 0
    broken = tmp_path / "broken.toml"
    broken.write_text("version = 1\n", encoding="utf-8")
    assert isinstance(CliRunner().invoke(root, ["policy", "check", str(broken)]).exception, PolicyError)

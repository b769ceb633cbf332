"""Policy files: which threshold holds for whom, and everything that can be wrong with one."""

from __future__ import annotations

import string

import pytest
from click.testing import CliRunner
from wildgate_service.cli import root
from wildgate_service.decide.policy import Unlisted, is_shadow, limits_in_force, moderator_language, rules_in_shadow
from wildgate_service.errors import PolicyError
from wildgate_service.groups import GROUPS
from wildgate_service.lexicon import default_lexicons
from wildgate_service.policy import checked, default_policy, load_policy, policy_of_text
from wildgate_service.policy.lines import line_of, lines_of_keys

THRESHOLDS = "[thresholds]\nreview = 0.5\nblock = 0.9\n"
NAMES = ("block", "review", "covered", "legal", "allow", "unnamed", "explained", "unlisted", "crowded")
REASONS = "[reasons.en]\n" + "".join(f'{name} = "{name}"\n' for name in NAMES)
NOTICES = '[notices.block]\nen = "no"\n[notices.review]\nen = "wait"\n'


def policy_text(more: str = "", *, version='"1.0.0"', top="", thresholds=THRESHOLDS, reasons="", notices="") -> str:
    """A small policy with one part put in the place of another."""
    return f"version = {version}\n{top}\n{thresholds}{more}{reasons}{notices}"


def limits(more: str, group: str = "elephant", market: str = "", tenant: str = "") -> tuple[float, float]:
    policy = policy_of_text(policy_text(more), "p.toml")
    there = limits_in_force(group, policy.scopes(market, {"DE": ("EU",)}, tenant))
    return there.review, there.block


def wrong(text: str) -> list[str]:
    """All errors of a policy, each with its line."""
    return [f"{line}: {problem}" for line, problem in checked(text)[1] if not problem.warning]


def warned(text: str) -> list[str]:
    """All warnings of a policy, each with its line, without those of languages."""
    return [f"{line}: {problem}" for line, problem in checked(text)[1] if problem.warning and "English stands in" not in problem.message]


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


def test_a_unions_table_holds_in_its_members_before_their_own():
    """And nowhere else."""
    more = "[markets.EU]\nreview = 0.2\nblock = 0.8\n[markets.DE]\nreview = 0.3\n"
    assert (limits(more, market="DE"), limits(more, market="SG")) == ((0.3, 0.8), (0.5, 0.9))


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
    policy = policy_of_text(policy_text(more), "p")
    assert is_shadow(policy.scopes(market, {}, tenant)) is expected
    assert is_shadow(policy_of_text(policy_text(more, top="shadow = true"), "p").scopes("", {}, "")) is True


def test_rules_in_shadow_are_those_of_every_scope():
    """The file's everywhere, a market's there, a tenant's for it."""
    more = '[markets.SG]\nshadow_rules = ["b"]\n[tenants.shop]\nshadow_rules = ["c"]\n'
    policy = policy_of_text(policy_text(more, top='shadow_rules = ["a"]'), "p")
    found = [sorted(rules_in_shadow(policy.scopes(*place))) for place in (("", {}, ""), ("SG", {}, ""), ("SG", {}, "shop"))]
    assert found == [["a"], ["a", "b"], ["a", "b", "c"]]


def test_out_of_shadow_nothing_else_changes():
    """Thresholds and languages stay."""
    more = '[tenants.shop]\nblock = 0.8\nshadow = true\nshadow_rules = ["a"]\nmoderator_language = "vi"\n'
    live = policy_of_text(policy_text(more, top="shadow = true"), "p").out_of_shadow()
    scopes = live.scopes("", {}, "shop")
    assert (is_shadow(scopes), rules_in_shadow(scopes)) == (False, frozenset())
    assert (moderator_language(scopes), limits_in_force("elephant", scopes).block) == ("vi", 0.8)


# --- the policy that ships -----------------------------------------------------------------------


@pytest.fixture(scope="session")
def shipped():
    """The policy that ships."""
    return load_policy(default_policy())


def test_the_default_policy_has_nothing_wrong_and_nothing_to_look_at():
    """Not one warning."""
    assert checked(default_policy().read_text(encoding="utf-8"))[1] == []


def test_the_default_policy_never_blocks_on_mammoth_alone(shipped):
    """No probability reaches its threshold, and it need be on no list."""
    there = limits_in_force("mammoth", shipped.scopes("", {}, ""))
    assert (there.block > 1, there.unlisted) == (True, Unlisted.AS_LISTED)


@pytest.mark.parametrize("group", GROUPS)
def test_the_default_policy_reviews_before_it_blocks(shipped, group):
    """In every group."""
    there = limits_in_force(group, shipped.scopes("", {}, ""))
    assert 0 < there.review < there.block


LANGUAGES = (
    "en zh-Hans zh-Hant th vi id ms ja ko hi ar ru es pt fr de it tr sw tl km my lo nl pl ta fa bn uk ne cs ro ur".split()  # noqa: SIM905
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_default_policy_speaks_every_language_to_all(shipped, language):
    """Who is refused, who waits, and who moderates; with the words for every group and cue."""
    assert set(shipped.reasons[language]) == set(NAMES)
    assert all(shipped.notices[name][language] for name in ("block", "review"))
    assert set(shipped.words[language].groups) == set(GROUPS)
    assert len(shipped.words[language].cues) == 8


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reason_of_the_default_policy_has_the_slots_of_the_english_one(shipped, language):
    """Nothing is lost in translation."""
    assert {name: slots(text) for name, text in shipped.reasons[language].items()} == {
        name: slots(text) for name, text in shipped.reasons["en"].items()
    }


def slots(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_sentences_that_a_file_leaves_out_are_as_they_ship(shipped):
    """A policy of two thresholds is one."""
    policy = policy_of_text(policy_text(), "p")
    assert (policy.reasons, policy.notices) == (shipped.reasons, shipped.notices)


def test_a_group_may_have_a_row_of_its_own():
    """KEYWORD_OTHER, with what it is."""
    described = GROUND.replace("KEYWORD_PROHIBITED_PRODUCTS", "KEYWORD_OTHER") + 'described_parts = "Ivory"\n'
    assert wrong(policy_text(described)) == []


# --- what is wrong -------------------------------------------------------------------------------

GROUND = """[dsa.default]
decision_ground = "DECISION_GROUND_ILLEGAL_CONTENT"
category_parts = "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS"
keyword_parts = "KEYWORD_PROHIBITED_PRODUCTS"
category_live = "STATEMENT_CATEGORY_ANIMAL_WELFARE"
keyword_live = "KEYWORD_UNLAWFUL_SALE_ANIMALS"
"""
NO_MARKET = "no ISO 3166-1 code of two letters such as SG, and no union (EU)"
BETWEEN = "is not between 0 and 1.01"
SLOTS = "cues, groups, market, score, surfaces"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = ", "1: not TOML: Invalid value"),
        ("\n\n[thresholds\n", "3: not TOML: Expected ']' at the end of a table declaration"),
        ('\nversion = "1.0.0', "2: not TOML: Unterminated string"),
        (policy_text(version="1"), "1: version: Expected `str`, got `int`"),
        (policy_text(version='"1"'), "1: version: '1' is no version such as 1.2.0 (semver.org), by which answers name their policy"),
        (policy_text(thresholds='[thresholds]\nreview = "0.5"\nblock = 1\n'), "4: thresholds.review: Expected `float | null`, got `str`"),
        (policy_text(thresholds="[thresholds]\nreview = 0.5\n"), "3: thresholds: block is missing"),
        (policy_text(thresholds="[thresholds]\nreview = 0.9\nblock = 0.5\n"), "3: thresholds: review 0.9 is over block 0.5"),
        (policy_text(thresholds="[thresholds]\nreview = -0.1\nblock = 0.5\n"), f"4: thresholds.review: -0.1 {BETWEEN}"),
        (policy_text(thresholds="[thresholds]\nreview = nan\nblock = 0.5\n"), f"4: thresholds.review: nan {BETWEEN}"),
        (policy_text("[groups.elephant]\nblock = 90\n"), f"7: groups.elephant.block: 90.0 {BETWEEN}"),
        (policy_text("[groups.elephant]\nallow = 0.1\n"), "7: groups.elephant.allow: unknown key; known are review, block, unlisted"),
        (policy_text("[groups]\nelefant.block = 0.6\n"), "7: groups.elefant: unknown taxon group"),
        (policy_text("[markets.SG.groups.elefant]\nblock = 0.6\n"), "6: markets.SG.groups.elefant: unknown taxon group"),
        (policy_text("[tenants.shop.groups.elefant]\nblock = 0.6\n"), "6: tenants.shop.groups.elefant: unknown taxon group"),
        (policy_text("[groups.elephant]\nunlisted = 'stop'\n"), "7: groups.elephant.unlisted: Invalid enum value 'stop'"),
        (policy_text("[markets.SG]\nshadow = 1\n"), "7: markets.SG.shadow: Expected `bool | null`, got `int`"),
        (policy_text("[markets.SG]\nshadow_rules = [\n 'a',\n 3]\n"), "7: markets.SG.shadow_rules: Expected `str`, got `int` - at `$[1]`"),
        (policy_text("[markets.sg]\nblock = 0.8\n"), f"6: markets.sg: {NO_MARKET}; write SG"),
        (policy_text("[markets.ASEAN]\nblock = 0.8\n"), f"6: markets.ASEAN: {NO_MARKET}"),
        (policy_text("[tenants.'My shop']\nblock = 0.8\n"), "6: tenants.My shop: no tenant's name: up to 63 of a-z 0-9 . _ - that begin"),
        (policy_text("[tenants.shop]\nmoderator_language = 'zh'\n"), "7: tenants.shop.moderator_language: there are no reasons in zh;"),
        (policy_text(top="moderator_language = 'xx'"), "2: moderator_language: there are no reasons in xx; there are en, zh-Hans,"),
        (policy_text(reasons=REASONS.replace('legal = "legal"\n', "")), "6: reasons.en: legal is missing"),
        (policy_text(reasons=REASONS.replace('"block"', '"{grups}"')), f"7: reasons.en.block: unknown slot {{grups}}; known are {SLOTS}"),
        (policy_text(reasons=REASONS.replace('"block"', '"{}"')), "7: reasons.en.block: unknown slot {}"),
        (policy_text(reasons=REASONS.replace('"block"', '"{groups"')), "7: reasons.en.block: cannot be filled in: expected '}'"),
        (policy_text(reasons=REASONS.replace('"block"', '"{score:.3f}"')), "7: reasons.en.block: cannot be filled in: Unknown format code"),
        (policy_text(reasons=REASONS.replace('"allow"', '"{score}"')), "11: reasons.en.allow: unknown slot {score}; known are none here"),
        (policy_text(reasons=REASONS + "[reasons.de]\nblock = '{gruppen}'\n"), "17: reasons.de.block: unknown slot {gruppen}"),
        (policy_text(reasons=REASONS + "deny = 'no'\n"), "16: reasons.en.deny: unknown reason; known are block, review,"),
        (policy_text(notices=NOTICES.replace('en = "no"', "de = 'nein'")), "6: notices.block.en: is missing, and stands in"),
        (policy_text(notices="[notices.block]\nen = 'no'\n"), "6: notices.review.en: is missing, and stands in"),
        (policy_text(notices=NOTICES + "th = '{score}'\n"), "10: notices.review.th: unknown slot {score}; known are none here"),
        (policy_text(notices=NOTICES + "[notices.allow]\nen = 'yes'\n"), "10: notices.allow: unknown notice; known are block, review"),
        (policy_text(GROUND.replace("ILLEGAL", "LEGAL")), "7: dsa.default.decision_ground: 'DECISION_GROUND_LEGAL_CONTENT' is no value of"),
        (policy_text(GROUND + GROUND.replace("default", "elefant")), "12: dsa.elefant: unknown taxon group"),
        (policy_text(GROUND.replace("default", "bear")), "6: dsa: default is missing, which holds for groups without"),
        (
            policy_text(GROUND.replace("KEYWORD_PROHIBITED_PRODUCTS", "KEYWORD_NUDITY")),
            "9: dsa.default.keyword_parts: KEYWORD_NUDITY is no sub-category of STATEMENT_CATEGORY_UNSAFE_AND",
        ),
        (
            policy_text(GROUND.replace("KEYWORD_UNLAWFUL_SALE_ANIMALS", "KEYWORD_OTHER")),
            "11: dsa.default.keyword_live: KEYWORD_OTHER needs described_live",
        ),
        (policy_text(GROUND + f'described_parts = "{"x" * 501}"\n'), "12: dsa.default.described_parts: 501 characters; 500 are the most"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_key(text, said):
    """What is not TOML too."""
    assert [each[: len(said)] for each in wrong(text)] == [said]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            policy_text().replace("version", "verion"),
            ["1: version is missing", "1: verion: unknown key; did you mean version?"],
        ),
        (
            policy_text(GROUND.replace("keyword_live", "keyword_alive")),
            ["6: dsa.default: keyword_live is missing", "11: dsa.default.keyword_alive: unknown key; did you mean keyword_live?"],
        ),
    ],
)
def test_a_key_that_is_misspelled_is_missing_too(text, said):
    """Both are said, and nothing that follows from them."""
    assert sorted(wrong(text)) == sorted(said)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            "[groups.orchid]\nreview = 0.7\n[tenants.strict]\nblock = 0.6\n",
            "8: tenants.strict: review 0.7 of groups.orchid is over block 0.6 of tenants.strict",
        ),
        (
            "[markets.SG]\nblock = 0.6\n[tenants.shop]\nreview = 0.8\n",
            "8: tenants.shop: review 0.8 of tenants.shop is over block 0.6 of markets.SG",
        ),
        (
            "[markets.SG.groups.bear]\nblock = 0.4\n",
            "6: markets.SG.groups.bear: review 0.5 of thresholds is over block 0.4 of markets.SG.groups.bear",
        ),
        ("[tenants.shop.groups.bear]\nreview = 0.8\nblock = 0.7\n", "6: tenants.shop.groups.bear: review 0.8 is over block 0.7"),
    ],
)
def test_thresholds_out_of_order_are_seen_across_tables(more, said):
    """Each pair of tables once, at the later one."""
    assert wrong(policy_text(more)) == [said]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (policy_text("[tenants.shop]\n"), "6: tenants.shop: says nothing"),
        (policy_text("[groups.bear]\n"), "6: groups.bear: says nothing"),
        (policy_text("[groups.bear]\nblock = 0.9\n"), "6: groups.bear: says what holds without it"),
        (policy_text(GROUND + GROUND.replace("default", "bear")), "12: dsa.bear: says what default says"),
        (
            policy_text("[groups.bear]\nblock = 1.01\n[markets.SG]\nblock = 0.8\n"),
            "8: markets.SG: lets bear be refused, which groups.bear never does",
        ),
        (
            policy_text(reasons=REASONS.replace('"block"', '"{groups} {score}"') + "[reasons.de]\nblock = '{groups}'\n"),
            "17: reasons.de.block: says nothing of score, which the English one does",
        ),
    ],
)
def test_what_may_not_be_meant_is_a_warning(text, said):
    """The policy can be used."""
    assert (warned(text), wrong(text)) == ([said], [])


def test_tables_that_are_alike_are_told_apart_from_those_that_say_nothing():
    """Two tenants say again what a market changed; neither is idle."""
    more = "[markets.SG]\nblock = 0.8\n[tenants.one]\nblock = 0.9\n[tenants.two]\nblock = 0.9\n"
    assert (warned(policy_text(more)), wrong(policy_text(more))) == ([], [])


def test_missing_languages_are_a_warning_that_names_them():
    """Of reasons and of each notice."""
    notices = NOTICES.replace('en = "wait"', "".join(f'{language} = "wait"\n' for language in LANGUAGES if language != "my"))
    said = [str(problem) for _, problem in checked(policy_text(notices=notices))[1]]
    assert said[1:] == ["notices.review: missing, so that English stands in: my"]
    assert said[0].startswith("notices.block: missing, so that English stands in: zh-Hans, zh-Hant, th, vi,")


def test_all_problems_are_said_at_once_in_the_order_of_the_file():
    """Nobody mends a file one error at a time; a value of the wrong kind hides nothing else."""
    text = policy_text("[groups.elefant]\nblock = 7\n[markets.SG]\nshadow = 1\nreviw = 0.4\n", version='"1"')
    assert [each.partition(": ")[0:3:2] for each in wrong(text)] == [
        ("1", "version: '1' is no version such as 1.2.0 (semver.org), by which answers name their policy"),
        ("6", "groups.elefant: unknown taxon group"),
        ("7", "groups.elefant.block: 7.0 is not between 0 and 1.01"),
        ("9", "markets.SG.shadow: Expected `bool | null`, got `int`"),
        ("10", "markets.SG.reviw: unknown key; did you mean review?"),
    ]


def test_a_policy_that_cannot_be_used_is_refused_with_all_that_is_wrong():
    """File and first line are the error's own."""
    with pytest.raises(PolicyError, match=r"policy mine.toml: line 6: groups.elefant: unknown.*; line 7: groups.elefant.block") as caught:
        policy_of_text(policy_text("[groups.elefant]\nblock = 7\n"), "mine.toml")
    assert (caught.value.file, caught.value.line) == ("mine.toml", 6)


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), (b'version = "\xff"', "can't decode byte 0xff")])
def test_a_file_that_cannot_be_read_is_a_policy_error(tmp_path, content, said):
    """Missing, or not UTF-8."""
    path = tmp_path / "p.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PolicyError, match=said):
        load_policy(path)


# --- the lines of keys ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("a = 1\nb = 2\n", ("b",), 2),
        ("[x]\n\n# note\nb = 2\n", ("x", "b"), 4),
        ("[x.'y z']\nb = 2\n", ("x", "y z", "b"), 2),
        ("x = [\n 1,\n # ]\n]\nb = 2\n", ("b",), 5),
        ('x = """\n[b]\nb = 1\n"""\nb = 2\n', ("b",), 5),
        ("x = {y = {b = 2}}\n", ("x", "y", "b"), 1),
        ("[x]\ny.b = 2\n", ("x", "y", "b"), 2),
        ("a = 1\r\n[x]\r\nb = 2\r\n", ("x", "b"), 3),
        ("[x]\na = 1\n", ("x", "missing", "b"), 1),
        ("a = 1\n", ("missing",), 1),
    ],
)
def test_a_key_is_found_on_its_line(text, path, line):
    """After lists and texts of several lines, in dotted keys and inline tables; what is missing is at the table around it."""
    assert line_of(path, lines_of_keys(text)) == line


# --- the command ---------------------------------------------------------------------------------


def check(tmp_path, text: str, *options: str):
    """(status, lines) of `wildgate policy check`, with the file called FILE."""
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(root, ["policy", "check", str(path), *options])
    return done.exit_code, done.output.replace(str(path), "FILE").splitlines()


def test_policy_check_says_what_holds_by_group(tmp_path):
    """Groups that are alike stand together."""
    text = policy_text("[groups.elephant]\nreview = 0\n[groups.mammoth]\nblock = 1.01\nunlisted = 'as_listed'\n", top="shadow = true")
    assert check(tmp_path, text) == (
        0,
        [
            "FILE: policy 1.0.0 is sound",
            "everywhere: shadow on, reasons in en",
            "  group                review from  block from  on no list there",
            "  elephant                     0.0         0.9  allow",
            "  mammoth                      0.5       never  as_listed",
            "  all others                   0.5         0.9  allow",
            "markets: none; tenants: none",
            f"sentences in 33 languages; unreviewed: {', '.join(LANGUAGES[1:])}",
        ],
    )


def test_policy_check_says_what_holds_in_a_market_and_for_a_tenant(tmp_path):
    """A union's limits in its member, the tenant's language and rules on trial."""
    more = "[markets.EU]\nblock = 0.8\n[tenants.shop]\nreview = 0.4\nmoderator_language = 'de'\nshadow_rules = ['en-elephant-ivory-code']\n"
    status, lines = check(tmp_path, policy_text(more), "--market", "de", "--tenant", "shop", "--lexicons", str(default_lexicons()))
    assert (status, lines[-5:-1]) == (
        0,
        [
            "market DE, tenant shop: shadow off, reasons in de",
            "rules in shadow: en-elephant-ivory-code",
            "  group                review from  block from  on no list there",
            "  all others                   0.4         0.8  allow",
        ],
    )


def test_policy_check_warns_of_rules_in_shadow_that_no_lexicon_has(tmp_path, rewrite_lexicon, lexicons):
    """And of no others; the policy can be used."""
    rewrite_lexicon("carved molar", version="1.0.0")
    text = policy_text(top='shadow_rules = ["en-elephant-ivory", "en-elephant-ivroy"]')
    status, lines = check(tmp_path, text, "--lexicons", str(lexicons))
    assert (status, lines[0]) == (0, "FILE:2: warning: shadow_rules: no lexicon has a rule en-elephant-ivroy")


def test_policy_check_ends_with_1_when_something_is_wrong(tmp_path):
    """After all of it, counted."""
    text = policy_text("[groups.elefant]\nblock = 7\n[tenants.shop]\n")
    assert check(tmp_path, text) == (
        1,
        [
            "FILE:6: groups.elefant: unknown taxon group",
            "FILE:7: groups.elefant.block: 7.0 is not between 0 and 1.01",
            "FILE:8: warning: tenants.shop: says nothing",
            "FILE: 2 wrong, 1 to look at",
        ],
    )


def test_policy_check_looks_at_the_default_policy_unless_told():
    """It is sound."""
    assert CliRunner().invoke(root, ["policy", "check"]).exit_code == 0


def test_a_policy_that_is_no_text_is_a_usage_error(run_wildgate, tmp_path):
    """Status 2, on one line."""
    (tmp_path / "p.toml").write_bytes(b"\xff")
    done = run_wildgate("policy", "check", "p.toml")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)

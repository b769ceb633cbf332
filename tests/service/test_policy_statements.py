"""What a policy says of statements of reasons: [statements] of the one that ships, and everything that can be wrong with it."""

from __future__ import annotations

import pytest
from wildgate_service.policy import checked, default_policy, file_of_text, read_policy

SHIPPED = read_policy(default_policy())


def problems(old, new, *, warning=False):
    """What a change of the policy that ships makes wrong."""
    assert old in SHIPPED
    return [str(problem) for _, problem in checked(SHIPPED.replace(old, new))[1] if problem.warning is warning]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'legal_ground = "Council',
            'legal_grund = "Council',
            ["statements: legal_ground is missing", "statements.legal_grund: unknown key"],
        ),
        ('legal_ground = "Council Regulation (EC) No 338/97, Article 8"', 'legal_ground = ""', ["statements.legal_ground: says nothing"]),
        ('terms_ground = ""', f'terms_ground = "{"x" * 501}"', ["statements.terms_ground: has 501 characters, 1 too many"]),
        ('legal_url = "https://', 'legal_url = "', ["statements.legal_url: is no address that begins with https://"]),
        ('"AT", "BE"', '"UK", "BE"', ["statements.territorial_scope: 'UK' is not one of the 30 values"]),
        ('facts = "This {kind}', 'facts = "This {title}', ["statements.facts: unknown slot {title}; known are decided, goods, groups"]),
        ('facts = "This {kind}', 'facts = "This {kind.title}', ["statements.facts: unknown slot {kind.title}"]),
        ('["CONTENT_TYPE_TEXT"]', '["CONTENT_TYPE_OTHER"]', ["statements.content_types.social_post: 'CONTENT_TYPE_OTHER' is no value"]),
        ('markets = "eea"', 'markets = "eu"', ["statements.markets: Invalid enum value 'eu'"]),
        ('"primate", "small', '"primat", "small', ["statements.live_groups: unknown taxon group primat"]),
    ],
)
def test_what_is_wrong_is_said(old, new, said):
    """Before a statement is made of it."""
    found = problems(old, new)
    assert [each for each in said if not any(problem.startswith(each) for problem in found)] == [], found


def test_terms_that_nobody_named_are_warned_of_where_a_group_needs_them():
    """The statements of that group would all be incomplete."""
    terms = "DECISION_GROUND_INCOMPATIBLE_CONTENT"
    assert problems("DECISION_GROUND_ILLEGAL_CONTENT", terms, warning=True) == [
        "statements.terms_ground: is empty, so that statements about default (see dsa) are incomplete"
    ]


def test_a_policy_without_the_table_has_the_one_that_ships():
    """As for [dsa]."""
    text = 'version = "1.0.0"\n[thresholds]\nreview = 0.5\nblock = 0.9\n'
    assert file_of_text(text, "p").statements == file_of_text(SHIPPED, "default").statements

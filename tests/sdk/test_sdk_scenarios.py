"""Scenario files of the fake, what they may say, and the example that uses one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from wildgate import Listing, WildgateError
from wildgate.testing import FakeWildgate

EXAMPLE = Path(__file__).parents[2] / "examples" / "shop_tests"


@pytest.fixture
def play(fake: FakeWildgate, tmp_path: Path):
    """Write a scenario and let the fake play it."""

    def write(content: object, suffix: str = ".toml") -> None:
        file = tmp_path / f"scenario{suffix}"
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        fake.play(file)

    return write


def test_a_scenario_decides_with_notice_and_matches(fake, play):
    """As the real service answers."""
    play('[[rules]]\ntext = "Ivory"\naction = "block"\nscore = 0.9\nreason = "Ivory."\nnotice = "No."\ntaxa = ["elephant"]')
    decision = fake.client().score(Listing(title="ivory bangle"))
    assert (decision.blocked, decision.score, decision.reason, decision.notice) == (True, 0.9, "Ivory.", "No.")
    assert ([each.surface for each in decision.matches], [each.group for each in decision.taxa]) == (["ivory"], ["elephant"])


def test_a_scenario_may_be_json_and_have_patterns(fake, play):
    """Regular expressions, with regard to case."""
    play({"rules": [{"pattern": "T.sk", "action": "review"}]}, ".json")
    actions = [str(fake.client().score(Listing(title=each)).action) for each in ("Tusk", "tusk")]
    assert actions == ["review", "allow"]


def test_a_rule_fails_its_listings_alone(fake, play):
    """With the reason that the service would give; what was asked is recorded."""
    play('[[rules]]\ntext = "much"\nfail = "RESOURCE_EXHAUSTED"\nerror_reason = "QUOTA_EXCEEDED"')
    client = fake.client()
    with pytest.raises(WildgateError) as caught:
        client.score(Listing(title="too much"))
    assert caught.value.reason == "QUOTA_EXCEEDED"
    assert client.score(Listing(title="chair")).allowed
    assert [each.title for each in fake.listings][-1] == "chair"


def test_in_a_batch_a_listing_fails_alone(fake, play):
    """The others are decided."""
    play('[[rules]]\ntext = "bad"\nfail = "INVALID_ARGUMENT"\nerror_reason = "FIELD_TOO_LONG"')
    bad, good = fake.client().score_batch([Listing(title="bad"), Listing(title="good")])
    assert bad.error is not None
    assert (bad.error.reason, good.decision.allowed) == ("FIELD_TOO_LONG", True)


def test_a_rule_that_is_late_is_the_deadline_of_its_caller(fake, play):
    """The client's own policy answers."""
    play('[[rules]]\ntext = "slow"\ndelay = 5.0')
    decision = fake.client(timeout=0.2, on_unavailable="review").score(Listing(title="slow"))
    assert (decision.review, decision.degraded_reasons) == (True, ("deadline_exceeded",))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "a list named rules"),
        ("rules = 1", "a list named rules"),
        ('[[rules]]\naction = "block"', "rule 1 needs either text"),
        ('[[rules]]\ntext = "a"\n[[rules]]\ntext = "a"\nnotise = "b"', "rule 2 has 'notise'"),
        ('[[rules]]\ntext = "a"\naction = "hold"', "rule 1: 'hold'"),
        ('[[rules]]\ntext = "a"\nfail = "DOWN"', "rule 1: fail='DOWN' is no gRPC code"),
        ('[[rules]]\ntext = "a"\nfail = "INTERNAL"\nerror_reason = "TIRED"', "rule 1: error_reason='TIRED'"),
        ('[[rules]]\npattern = "("', "rule 1: missing )"),
        ('[[rules]]\ntext = "a"\nscore = "high"', "rule 1: could not convert"),
    ],
)
def test_a_scenario_that_is_wrong_says_where(play, content, said):
    """File, rule, and what is known."""
    with pytest.raises(ValueError, match=re.escape(said)):
        play(content)


def test_the_example_of_a_shop_runs():
    """As its users run it: nothing but the package and pytest."""
    command = [sys.executable, "-m", "pytest", str(EXAMPLE), "-q", "-p", "no:cacheprovider", "--strict-markers", "--rootdir", str(EXAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=EXAMPLE)
    assert done.returncode == 0, done.stdout + done.stderr

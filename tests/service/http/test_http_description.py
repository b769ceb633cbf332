"""The OpenAPI description is what the service does: schemathesis makes requests from it, and holds the answers against it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from referencing.jsonschema import EMPTY_REGISTRY
from wildgate_service.settings import LARGEST_LISTING_BYTES

SCORE = "/wildgate.v1.ScoringService/ScoreListing"
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "100")
KEY_SCOPES = ("--scope", "score", "--scope", "report", "--scope", "admin")


@pytest.fixture
def description(browser):
    """As the service serves it."""
    return browser.ask("GET", "/openapi.json", headers={}).body


def operations(description):
    """Path and operation of each RPC."""
    return [(path, item["post"]) for path, item in description["paths"].items()]


@pytest.mark.slow
def test_description_is_served_without_a_key(start_small, browse):
    """It says nothing that the contract does not."""
    answer = browse(start_small(http_port=0, require_keys="always")).ask("GET", "/openapi.json", headers={})
    assert (answer.status, answer.body["openapi"]) == (200, "3.1.0")


def test_every_rpc_is_described(description):
    """Of all three services, and health."""
    assert sorted(path.rpartition("/")[2] for path in description["paths"]) == [
        "BatchScoreListings",
        "Check",
        "ExportStatementsOfReasons",
        "GetLexicon",
        "GetTransparencyReport",
        "RecordOutcomes",
        "ReloadLexicon",
        "ScoreListing",
        "ValidateRules",
    ]


def test_every_schema_and_field_is_described(description):
    """In the contract's own words."""
    schemas = description["components"]["schemas"]
    nameless = [name for name, schema in schemas.items() if not schema["description"]]
    fields = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        if not name.startswith("Error")
        for field, content in schema.get("properties", {}).items()
        if not content["description"]
    ]
    assert (nameless, fields) == ([], [])


def validator(description, schema):
    return Draft202012Validator(schema | {"components": description["components"]}, registry=EMPTY_REGISTRY)


def test_examples_are_answered_as_described(description, browser):
    """Each is sent; what comes back fits its schema."""
    for path, operation in operations(description):
        content = operation["requestBody"]["content"]["application/json"]
        validator(description, content["schema"]).validate(content["example"])
        answer = browser.ask(path=path, body=content["example"])
        status = str(answer.status)
        said = operation["responses"]["200"]["content"] if status == "200" else description["components"]["responses"][status]["content"]
        validator(description, said["application/json"]["schema"]).validate(answer.body)
        assert status == "200", (path, answer.body)


def test_largest_listing_that_is_described_is_within_the_smallest_message():
    """Every field at its limit, in four bytes a code point."""
    listing = {"title": "🐘" * 1_000, "description": "🐘" * 20_000, "attributes": [{"name": "🐘" * 256, "value": "🐘" * 256}] * 64}
    assert len(json.dumps(listing, ensure_ascii=False).encode()) < LARGEST_LISTING_BYTES


LEFT_OUT = (
    "negative_data_rejection",  # protobuf's JSON takes null, numbers of enumerations and text for numbers, which the schemas do not list
    "positive_data_acceptance",  # rules between fields (a first day before the last, some text in a listing) are not in the schemas
)


@pytest.mark.openapi
def test_schemathesis_finds_nothing(start_small, run_wildgate):
    """Hundreds of requests, with and against the description, with and without a key: no server error, every answer as described."""
    service = start_small(http_port=0)
    made = run_wildgate("keys", "create", "--tenant", "shop", *KEY_SCOPES, "--store", service.store)
    key = made.stdout.split()[0]
    service.wait_for("keys_changed")
    command = [
        Path(sys.executable).with_name("st"),
        "run",
        f"http://{service.http}/openapi.json",
        *("--header", f"Authorization: Bearer {key}"),
        *("--header", "Connect-Timeout-Ms: 60000"),  # chosen by chance, it would be passed before anything is done
        *("--checks", "all", "--exclude-checks", ",".join(LEFT_OUT)),
        *("--max-examples", EXAMPLES, "--seed", "1", "--continue-on-failure", "--no-color"),
    ]
    done = subprocess.run(command, cwd=service.folder, capture_output=True, text=True, check=False)
    assert (done.returncode, service.events("rpc_failed"), service.events("http_failed")) == (0, [], []), done.stdout

"""The public surface, pinned."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from inspect import Parameter, signature
from pathlib import Path

import pytest
import wildgate

EXPORTED = [
    "AccountType",
    "Action",
    "AsyncClient",
    "Attribute",
    "BatchResult",
    "Client",
    "ContentKind",
    "Decision",
    "ErrorEstimate",
    "Evidence",
    "Explain",
    "Ground",
    "LexiconInfo",
    "LexiconLanguage",
    "Listing",
    "Match",
    "Means",
    "MeasuredErrors",
    "Misuse",
    "NoticeSource",
    "OnUnavailable",
    "Outcome",
    "OutcomeDetails",
    "OutcomeKind",
    "OutcomeResult",
    "Receipt",
    "ReportCount",
    "ReportShare",
    "Restriction",
    "Span",
    "SpanUnit",
    "StageTiming",
    "Stats",
    "Taxon",
    "TransparencyReport",
    "WildgateAuthenticationError",
    "WildgateConfigurationError",
    "WildgateConflictError",
    "WildgateDeadlineExceededError",
    "WildgateError",
    "WildgateInternalError",
    "WildgateInvalidRequestError",
    "WildgateLimitExceededError",
    "WildgateNotFoundError",
    "WildgateOverloadedError",
    "WildgatePermissionError",
    "WildgateUnavailableError",
    "WildgateUnimplementedError",
    "WildgateUsageError",
    "__version__",
    "uuid7",
]
METHODS = [
    "close",
    "lexicon",
    "report_outcome",
    "report_outcomes",
    "score",
    "score_batch",
    "stats",
    "transparency_report",
    "wait_ready",
]


def test_the_names_are_pinned() -> None:
    """A name comes or goes on purpose only."""
    assert wildgate.__all__ == EXPORTED


def test_the_names_are_sorted() -> None:
    """As a reader looks for them."""
    assert sorted(wildgate.__all__) == wildgate.__all__


@pytest.mark.parametrize("name", EXPORTED)
def test_each_name_loads(name: str) -> None:
    """Names that load on first use do load."""
    assert getattr(wildgate, name) is not None


def test_another_name_is_an_attribute_error() -> None:
    """As of any module."""
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = wildgate.nothing


def test_both_clients_have_the_same_methods() -> None:
    """What one can do, the other can."""
    public = [[name for name in vars(each) if not name.startswith("_")] for each in (wildgate.Client, wildgate.AsyncClient)]
    assert [sorted(names) for names in public] == [METHODS, METHODS]


@pytest.mark.parametrize("name", [*METHODS[:6], *METHODS[7:], "__init__"])
def test_both_clients_take_the_same_arguments(name: str) -> None:
    """With the same names, kinds and defaults."""
    shapes = [
        [(each.name, each.kind, each.default) for each in signature(method).parameters.values()]
        for method in (getattr(wildgate.Client, name), getattr(wildgate.AsyncClient, name))
    ]
    assert shapes[0] == shapes[1]


def test_the_policy_has_no_default() -> None:
    """Somebody has to choose what an outage means."""
    parameter = signature(wildgate.Client).parameters["on_unavailable"]
    assert (parameter.kind, parameter.default) == (Parameter.KEYWORD_ONLY, Parameter.empty)


def test_the_version_is_that_of_the_package() -> None:
    """One version, in two places."""
    pyproject = Path(wildgate.__file__).parents[1] / "pyproject.toml"
    if not pyproject.exists():
        pytest.skip("not a checkout")
    version = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["version"]
    assert wildgate.__version__ == version


def test_importing_the_plugin_does_not_load_grpc() -> None:
    """Every pytest run of a project that has the package installed imports it."""
    code = "import sys, wildgate.testing; print('grpc' in sys.modules, 'google' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


def test_the_types_load_without_grpc() -> None:
    """A module that only handles decisions pays for no network library."""
    code = "import sys; from wildgate import Decision, Listing, WildgateError\nprint('grpc' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_google_rpc_is_not_registered() -> None:
    """The process's descriptor pool is left to googleapis-common-protos."""
    code = (
        "import wildgate._client\n"
        "from google.protobuf import descriptor_pool\n"
        "pool = descriptor_pool.Default()\n"
        "for name in ('google/rpc/status.proto', 'google/rpc/error_details.proto'):\n"
        "    try: pool.FindFileByName(name)\n"
        "    except KeyError: print('absent')\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["absent", "absent"]

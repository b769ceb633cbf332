"""Wildgate: ask, while the seller presses "post", whether a listing offers protected wildlife.

    from wildgate import Client, Listing
    wildgate = Client("dns:///wildgate:50051", api_key=KEY, on_unavailable="review")
    decision = wildgate.score(Listing(id="42", title="…", description="…", market="SG"))

Make one client per process; connecting starts in its constructor. `decision.blocked`, `.review` and
`.allowed` say what the policy asks; `wildgate.report_outcome(decision, applied="removed")` tells
what was done.

Names load on first use, so that importing the package (or its pytest plugin) costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wildgate._aio import AsyncClient
    from wildgate._client import Client
    from wildgate._config import OnUnavailable
    from wildgate._errors import (
        WildgateAuthenticationError,
        WildgateConfigurationError,
        WildgateConflictError,
        WildgateDeadlineExceededError,
        WildgateError,
        WildgateInternalError,
        WildgateInvalidRequestError,
        WildgateLimitExceededError,
        WildgateNotFoundError,
        WildgateOverloadedError,
        WildgatePermissionError,
        WildgateUnavailableError,
        WildgateUnimplementedError,
        WildgateUsageError,
    )
    from wildgate._ids import uuid7
    from wildgate._outcomes import (
        AccountType,
        Ground,
        Means,
        Misuse,
        NoticeSource,
        Outcome,
        OutcomeDetails,
        OutcomeKind,
        OutcomeResult,
        Restriction,
    )
    from wildgate._stats import Stats
    from wildgate._types import (
        Action,
        Attribute,
        BatchResult,
        ContentKind,
        Decision,
        ErrorEstimate,
        Evidence,
        Explain,
        LexiconInfo,
        LexiconLanguage,
        Listing,
        Match,
        MeasuredErrors,
        Receipt,
        ReportCount,
        ReportShare,
        Span,
        SpanUnit,
        StageTiming,
        Taxon,
        TransparencyReport,
    )
    from wildgate._version import __version__

__all__ = [
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

_HOMES = {
    "AsyncClient": "_aio",
    "Client": "_client",
    "OnUnavailable": "_config",
    "Stats": "_stats",
    "__version__": "_version",
    "uuid7": "_ids",
    **dict.fromkeys(
        (
            "AccountType",
            "Ground",
            "Means",
            "Misuse",
            "NoticeSource",
            "Outcome",
            "OutcomeDetails",
            "OutcomeKind",
            "OutcomeResult",
            "Restriction",
        ),
        "_outcomes",
    ),
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    home = _HOMES.get(name, "_errors" if name.endswith("Error") else "_types")
    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

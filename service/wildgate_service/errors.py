"""Errors of the service, each saying what was wrong, where, and what to do.

WildgateError
├── InvalidListingError     a listing over a limit or with a field it cannot hold
├── LexiconError            a broken lexicon file
├── PolicyError             a broken policy file
├── ModelError              a missing or corrupt model
├── SettingsError           a setting that cannot be
├── StoreError              the store cannot be read or written
└── RequestReusedError      one request_id with two different listings
"""

from __future__ import annotations


class WildgateError(Exception):
    """Base of all. `str()` is safe to show to the operator, not to the network."""


class InvalidListingError(WildgateError):
    """A listing that breaks a stated limit. `reason` is a name of the contract's ErrorReason."""

    def __init__(self, message: str, *, reason: str, **metadata: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.metadata = metadata


class LexiconError(WildgateError):
    """A broken lexicon; `file` and `line` say where."""

    def __init__(self, message: str, *, file: str = "", line: int = 0) -> None:
        super().__init__(f"{file}:{line}: {message}" if file else message)
        self.file = file
        self.line = line


class PolicyError(WildgateError):
    """A broken policy file; `file` and `line` (of the first problem) say where."""

    def __init__(self, message: str, *, file: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.file = file
        self.line = line


class ModelError(WildgateError):
    """A missing or corrupt model."""


class SettingsError(WildgateError):
    """A setting that is unknown, malformed, or contradicts another."""


class StoreError(WildgateError):
    """The store cannot be read or written."""


class RequestReusedError(WildgateError):
    """The same request_id came with another listing."""

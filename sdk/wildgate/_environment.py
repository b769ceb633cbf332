"""Options of a client from variables of the environment: the same as the TypeScript client reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc

from wildgate._errors import WildgateConfigurationError

PREFIX = "WILDGATE_CLIENT_"
_TEXTS = {"TARGET", "ON_UNAVAILABLE", "API_KEY", "EXPLAIN", "SPAN_UNIT"}
_FILES = {"ROOT_CERTIFICATES", "PRIVATE_KEY", "CERTIFICATE_CHAIN"}
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def options_from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """Read the variables WILDGATE_CLIENT_*; an empty one counts as none.

    They are _TARGET, _ON_UNAVAILABLE, _API_KEY, _TIMEOUT_SECONDS, _INSECURE (true or false), _EXPLAIN, _SPAN_UNIT, and the PEM
    files _ROOT_CERTIFICATES, _PRIVATE_KEY and _CERTIFICATE_CHAIN (the latter two: mutual TLS). Raises WildgateConfigurationError
    naming a variable that is unknown or cannot be read.
    """
    options: dict[str, Any] = {}
    for variable, text in environment.items():
        if variable.startswith(PREFIX) and text:
            name = variable.removeprefix(PREFIX)
            options |= _option(variable, name, text)
    return _with_credentials(options)


def _option(variable: str, name: str, text: str) -> dict[str, Any]:
    if name in _TEXTS:
        return {name.lower(): text}
    if name in _FILES:
        return {name.lower(): _read(variable, text)}
    if name == "TIMEOUT_SECONDS":
        return {"timeout": _seconds(variable, text)}
    if name == "INSECURE":
        return {"insecure": _truth(variable, text)}
    message = f"{variable} is not a variable of the client"
    raise WildgateConfigurationError(message)


def _with_credentials(options: dict[str, Any]) -> dict[str, Any]:
    key, chain = options.pop("private_key", None), options.pop("certificate_chain", None)
    if key is None and chain is None:
        return options
    if key is None or chain is None:
        message = f"{PREFIX}PRIVATE_KEY and {PREFIX}CERTIFICATE_CHAIN belong together: set both or neither"
        raise WildgateConfigurationError(message)
    root = options.pop("root_certificates", None)
    return options | {"credentials": grpc.ssl_channel_credentials(root, key, chain)}


def _read(variable: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        message = f"{variable} names a file that cannot be read: {path}: {error.strerror}"
        raise WildgateConfigurationError(message) from error


def _seconds(variable: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        message = f"{variable} must be a number of seconds, not {text!r}"
        raise WildgateConfigurationError(message) from None


def _truth(variable: str, text: str) -> bool:
    try:
        return _TRUTHS[text.lower()]
    except KeyError:
        message = f"{variable} must be true or false, not {text!r}"
        raise WildgateConfigurationError(message) from None

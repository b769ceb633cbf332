"""Write the OpenAPI 3.1 description of the HTTP port, which the service serves at /openapi.json, from proto/ and the code.

python tools/make_openapi.py            # write
python tools/make_openapi.py --check    # fail if the committed file is not what proto/ and the code say
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import MethodDescriptor
from openapi.contract import ROOT, Contract
from openapi.schemas import Schemas, sorted_by_name
from wildgate_service.http.errors import CODES
from wildgate_service.status import Reason

PAGE = ROOT / "service" / "wildgate_service" / "http" / "openapi.json"
EXAMPLES: dict[str, Any] = json.loads((Path(__file__).parent / "openapi" / "examples.json").read_text(encoding="utf-8"))
HEALTH = "/grpc.health.v1.Health/Check"
# Statuses of errors, and what they say; the code in the body is what to go by.
ERRORS = {
    "400": "The request cannot be: invalid_argument, failed_precondition or out_of_range.",
    "401": "No API key, or one that is not known, expired or revoked: unauthenticated.",
    "403": "The API key lacks a scope: permission_denied.",
    "404": "Not found: not_found, or unimplemented for a path that there is not.",
    "405": "Another method than the one that there is: unimplemented.",
    "409": "The request_id came before with another listing: already_exists.",
    "415": "A content type other than application/json and application/proto.",
    "429": "Over a limit of the tenant, of the service or of a message's size: resource_exhausted. Retry-After says when to come again.",
    "500": "A defect of the service, logged as the incident that the message names: internal.",
    "501": "A compression that is not known: unimplemented.",
    "503": "The store cannot be written, or the service is shutting down: unavailable. Retry with the same requestId.",
    "504": "The deadline passed: deadline_exceeded.",
}
RETRY = {"Retry-After": {"description": "Seconds to wait before the next attempt.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}}
TIMEOUT = {
    "name": "Connect-Timeout-Ms",
    "in": "header",
    "description": "Milliseconds that the caller waits; what cannot be answered in time is refused or ended.",
    "schema": {"type": "integer", "minimum": 0, "maximum": 9_999_999_999},
}
INTRODUCTION = (
    "Scores listings for offers of protected wildlife. Each RPC of the contract is a POST of a JSON object (the Connect protocol, unary). "
    "A field that the contract does not have is refused by name. Beside the names here, those of the contract (listing_id for listingId), "
    "numbers of enumerations and null for a field that is not said are taken, as protobuf's JSON has it. docs/http.md says more."
)


def document() -> dict[str, Any]:
    """The whole description."""
    contract = Contract()
    schemas = Schemas(contract)
    paths = {
        f"/{method.containing_service.full_name}/{method.name}": {"post": operation(contract, schemas, method)}
        for service in contract.services
        for method in service.methods
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Wildgate",
            "version": version("wildgate-service"),
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"apiKey": []}],
        "tags": [{"name": service.name, "description": contract.comment(service)} for service in contract.services],
        "paths": paths | {HEALTH: {"post": health()}},
        "components": {
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer", "description": "wildgate keys create"}},
            "schemas": sorted_by_name(schemas.made | error_schemas()),
            "responses": {status: response(said, status) for status, said in ERRORS.items()},
        },
    }


def operation(contract: Contract, schemas: Schemas, method: MethodDescriptor) -> dict[str, Any]:
    """A method of the contract."""
    content: dict[str, Any] = {"schema": schemas.request(method.input_type), "example": EXAMPLES[method.input_type.name]}
    answer = {"schema": schemas.response(method.output_type)}
    return {
        "operationId": method.name,
        "tags": [method.containing_service.name],
        "summary": contract.comment(method).partition(". ")[0].rstrip("."),
        "description": contract.comment(method),
        "parameters": [TIMEOUT],
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {
            "200": {"description": contract.comment(method.output_type), "content": {"application/json": answer}},
            **{status: {"$ref": f"#/components/responses/{status}"} for status in ERRORS},
        },
    }


def health() -> dict[str, Any]:
    """grpc.health.v1, which is not of our contract and needs no key."""
    services = {"type": "object", "properties": {"service": {"type": "string"}}, "additionalProperties": False}
    status = {"enum": ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"]}
    answer = {"type": "object", "properties": {"status": status}, "required": ["status"], "additionalProperties": False}
    return {
        "operationId": "CheckHealth",
        "summary": "Whether a service, or the whole for an empty name, answers calls",
        "security": [],
        "parameters": [TIMEOUT],
        "requestBody": {"required": True, "content": {"application/json": {"schema": services, "example": {}}}},
        "responses": {
            "200": {"description": "What is so.", "content": {"application/json": {"schema": answer}}},
            **{status: {"$ref": f"#/components/responses/{status}"} for status in ERRORS if status not in {"401", "403", "409"}},
        },
    }


def response(said: str, status: str) -> dict[str, Any]:
    """An error's."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"description": said, "content": content} | ({"headers": RETRY} if status == "429" else {})


def error_schemas() -> dict[str, Any]:
    """What an error is over Connect, and what its details say."""
    text = {"type": "string"}
    info = {
        "type": "object",
        "description": "google.rpc.ErrorInfo: the reason of the contract's ErrorReason, and facts for machines (field, limit, actual, …).",
        "properties": {
            "reason": {"enum": [str(reason) for reason in Reason]},
            "domain": {"const": "wildgate"},
            "metadata": {"type": "object", "additionalProperties": text},
        },
        "required": ["reason", "domain"],
    }
    detail = {
        "type": "object",
        "description": "One message about the error.",
        "properties": {
            "type": {"type": "string", "description": "google.rpc.ErrorInfo, or google.rpc.RetryInfo."},
            "value": {"type": "string", "description": "The message as bytes of protobuf, in base64 without padding."},
            "debug": {
                "description": "The same message as JSON.",
                "anyOf": [{"$ref": "#/components/schemas/ErrorInfo"}, {"type": "object"}],
            },
        },
        "required": ["type", "value"],
    }
    error = {
        "type": "object",
        "description": "An error of the Connect protocol.",
        "properties": {
            "code": {"enum": [code.value for code in CODES]},
            "message": {"type": "string", "description": "What was wrong, where, and what to do."},
            "details": {"type": "array", "items": {"$ref": "#/components/schemas/ErrorDetail"}},
        },
        "required": ["code", "message"],
        "additionalProperties": False,
    }
    return {"Error": error, "ErrorDetail": detail, "ErrorInfo": info}


def main() -> None:
    """Write or check."""
    page = json.dumps(document(), ensure_ascii=False, indent=1) + "\n"
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page:
        sys.exit(f"{PAGE.relative_to(ROOT)} is not what proto/ and the code say: run python tools/make_openapi.py and commit")


if __name__ == "__main__":
    main()

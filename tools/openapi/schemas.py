"""JSON Schemas of messages and enumerations, by protobuf's mapping to JSON as the service reads and writes it.

A request may leave out every field that it does not need; a response has all that are no message and no choice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, OneofDescriptor

from openapi.contract import Contract
from openapi.limits import FIELDS, NEEDED, NEVER

Schema = dict[str, Any]
TIMESTAMP = "google.protobuf.Timestamp"
UINT32_MAX, INT32_MAX = 2**32 - 1, 2**31 - 1

SCALARS: dict[int, Schema] = {
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number"},
    FieldDescriptor.TYPE_UINT32: {"type": "integer", "minimum": 0, "maximum": UINT32_MAX},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "minimum": -INT32_MAX - 1, "maximum": INT32_MAX},
    FieldDescriptor.TYPE_UINT64: {"type": "string", "pattern": "^[0-9]+$"},  # JavaScript's numbers would not hold it
}


class Schemas:
    """Makes the schemas of what RPCs exchange, each once, by name."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.made: dict[str, Schema] = {}

    def request(self, message: Descriptor) -> Schema:
        """A reference to a request's schema."""
        return self._message(message, answered=False)

    def response(self, message: Descriptor) -> Schema:
        """A reference to a response's schema."""
        return self._message(message, answered=True)

    def _message(self, message: Descriptor, *, answered: bool) -> Schema:
        if message.full_name == TIMESTAMP:
            return {"type": "string", "format": "date-time"}
        if message.name not in self.made:
            self.made[message.name] = {}  # for messages that hold themselves
            self.made[message.name] = self._object(message, answered=answered)
        return {"$ref": f"#/components/schemas/{message.name}"}

    def _object(self, message: Descriptor, *, answered: bool) -> Schema:
        schema: Schema = {
            "type": "object",
            "description": self._contract.comment(message),
            "properties": {field.json_name: self._field(field, answered=answered) for field in message.fields},
            "additionalProperties": False,
        }
        required = list(_always(message)) if answered else list(NEEDED.get(message.name, ()))
        if required:
            schema["required"] = required
        choices = [_choice(oneof) for oneof in message.oneofs if not _is_optional(oneof)]
        if choices:
            schema["oneOf"] = choices[0]
        return schema

    def _field(self, field: FieldDescriptor, *, answered: bool) -> Schema:
        described = {"description": self._contract.comment(field)}
        bounds = FIELDS.get(f"{field.containing_type.name}.{field.name}", {})
        if field.message_type and field.message_type.GetOptions().map_entry:
            value = field.message_type.fields_by_name["value"]
            return {"type": "object", "additionalProperties": self._value(value, answered=answered)} | described
        value = self._value(field, answered=answered)
        if field.is_repeated:
            return {"type": "array", "items": value} | bounds | described
        return value | bounds | described

    def _value(self, field: FieldDescriptor, *, answered: bool) -> Schema:
        if field.message_type:
            return self._message(field.message_type, answered=answered)
        return self._enumeration(field.enum_type) if field.enum_type else dict(SCALARS[field.type])

    def _enumeration(self, enumeration: EnumDescriptor) -> Schema:
        if enumeration.name not in self.made:
            values = [value for value in enumeration.values if value.name not in NEVER]
            meanings = "\n".join(f"- `{value.name}`: {self._contract.comment(value)}" for value in values)
            self.made[enumeration.name] = {
                "type": "string",
                "description": f"{self._contract.comment(enumeration)}\n\n{meanings}",
                "enum": [value.name for value in values],
            }
        return {"$ref": f"#/components/schemas/{enumeration.name}"}


def _always(message: Descriptor) -> Iterator[str]:
    """Names of the fields that are written even if they are empty."""
    return (field.json_name for field in message.fields if not field.has_presence)


def _is_optional(oneof: OneofDescriptor) -> bool:
    """Whether it is only how protobuf keeps a field that is marked optional."""
    return oneof.name.startswith("_")


def _choice(oneof: OneofDescriptor) -> list[Schema]:
    return [{"required": [field.json_name]} for field in oneof.fields]


def sorted_by_name(schemas: dict[str, Schema]) -> dict[str, Schema]:
    """In an order that no change elsewhere disturbs."""
    names: Iterable[str] = sorted(schemas)
    return {name: schemas[name] for name in names}

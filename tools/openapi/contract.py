"""The contract as buf compiles it: descriptors with the comments that stand over each element."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor, EnumDescriptor, EnumValueDescriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor

ROOT = Path(__file__).parents[2]
BUF = Path(sys.executable).with_name("buf")
PACKAGE = "wildgate.v1."
# Numbers of FileDescriptorProto's and its parts' fields, of which the path to an element consists.
MESSAGES, ENUMS, SERVICES, INNER = 4, 5, 6, 2

Element = Descriptor | EnumDescriptor | EnumValueDescriptor | FieldDescriptor | MethodDescriptor | ServiceDescriptor


class Contract:
    """All services and what they exchange."""

    def __init__(self) -> None:
        compiled = subprocess.run(  # noqa: S603  (our own dependency)
            [BUF, "build", "--as-file-descriptor-set", "-o", "-#format=binpb"], cwd=ROOT, capture_output=True, check=True
        )
        self._comments: dict[str, str] = {}
        pool = descriptor_pool.DescriptorPool()
        self.services: list[ServiceDescriptor] = []
        for file in descriptor_pb2.FileDescriptorSet.FromString(compiled.stdout).file:
            self._read_comments(file)
            file.ClearField("source_code_info")
            added = pool.Add(file) or pool.FindFileByName(file.name)
            self.services += added.services_by_name.values()

    def comment(self, element: Element) -> str:
        """What the contract says of an element, as one paragraph; "" if nothing."""
        return self._comments.get(_name(element), "")

    def _read_comments(self, file: descriptor_pb2.FileDescriptorProto) -> None:
        kinds = {MESSAGES: (file.message_type, "field"), ENUMS: (file.enum_type, "value"), SERVICES: (file.service, "method")}
        for location in file.source_code_info.location:
            match list(location.path):
                case [kind, index] if kind in kinds:
                    names = [kinds[kind][0][index].name]
                case [kind, index, inner, position] if kind in kinds and inner == INNER:
                    outer, parts = kinds[kind]
                    names = [outer[index].name, getattr(outer[index], parts)[position].name]
                case _:
                    continue
            self._comments[".".join([file.package, *names])] = re.sub(r"\s+", " ", location.leading_comments).strip()


def _name(element: Element) -> str:
    """The full name; protobuf gives values of an enumeration that of its siblings."""
    return f"{element.type.full_name}.{element.name}" if isinstance(element, EnumValueDescriptor) else element.full_name

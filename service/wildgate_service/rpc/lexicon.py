"""LexiconService: what is served, serving what is on disk now, and checking a text."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from wildgate.v1 import lexicon_pb2

from wildgate_service.lexicon import lint_text
from wildgate_service.rpc import parse
from wildgate_service.status import broken_lexicon, too_long

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from wildgate_service.control import ReloadEnded
    from wildgate_service.rpc import Caller, Serving

MAX_YAML_BYTES = 1_000_000


class Lexicons:
    """Answers `GetLexicon`, `ReloadLexicon` and `ValidateRules`.

    `reload` asks the supervisor, and answers when every worker has.
    """

    def __init__(self, serving: Serving, reload: Callable[[], Awaitable[ReloadEnded]]) -> None:
        self._serving = serving
        self._reload = reload

    async def get_lexicon(self, payload: bytes, caller: Caller) -> bytes:
        """Version and counts of what this worker serves."""
        del caller
        parse(lexicon_pb2.GetLexiconRequest, payload)
        lexicon = self._serving.engine.lexicon
        response = lexicon_pb2.GetLexiconResponse(lexicon_version=lexicon.version)
        for language in lexicon.languages:
            response.languages.add(
                language=language.language,
                rules=language.rules,
                forms=language.forms,
                sourced_forms=language.sourced_forms,
            )
        return response.SerializeToString()

    async def reload_lexicon(self, payload: bytes, caller: Caller) -> bytes:
        """Compile what is on disk and answer when every worker serves it, or say what is broken."""
        del caller
        parse(lexicon_pb2.ReloadLexiconRequest, payload)
        ended = await self._reload()
        if ended.fault:
            raise broken_lexicon(ended.fault.file, ended.fault.line)
        return lexicon_pb2.ReloadLexiconResponse(
            lexicon_version=ended.version,
            workers_serving=ended.serving,
            workers_failed=ended.failed,
        ).SerializeToString()

    async def validate_rules(self, payload: bytes, caller: Caller) -> bytes:
        """Lint the text of a rule file beside the loop."""
        del caller
        request = parse(lexicon_pb2.ValidateRulesRequest, payload)
        size = len(request.yaml.encode())
        if size > MAX_YAML_BYTES:
            raise too_long("yaml", size, MAX_YAML_BYTES, unit="bytes")
        response = lexicon_pb2.ValidateRulesResponse()
        for finding in await asyncio.to_thread(lint_text, request.yaml):
            response.findings.add(code=finding.code, line=finding.line, message=finding.message, hint=finding.hint)
        return response.SerializeToString()

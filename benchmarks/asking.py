"""A process that answers lines of JSON with lines of JSON, so that several can be asked in turn."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Timer
from typing import Any, Self


class NoAnswerError(Exception):
    """The process ended, or did not answer in time; its errors stand on standard error."""


class Asked:
    """A process that introduces itself with a line, `said`, and then answers each line that it is given."""

    def __init__(
        self, command: Sequence[str], *, seconds: float, folder: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self._command = tuple(command)
        self._seconds = seconds
        self._folder = folder
        self._environment = environment

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, cwd=self._folder, env=self._environment
        )
        try:
            self.said = self._read()
        except NoAnswerError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Its answer. Raises NoAnswerError."""
        assert self._process.stdin  # noqa: S101  (it was asked for)
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
        except BrokenPipeError as error:
            raise NoAnswerError(f"{self._command[-2:]} ended") from error
        return self._read()

    def _read(self) -> dict[str, Any]:
        """A line; the process is killed if it takes too long."""
        assert self._process.stdout  # noqa: S101
        timer = Timer(self._seconds, self._process.kill)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            raise NoAnswerError(f"no answer in {self._seconds:.0f} s, or an error (status {self._process.wait()})")
        try:
            return dict(json.loads(line))
        except ValueError as error:
            self._process.kill()
            raise NoAnswerError(f"it printed {line[:200]!r}, which is no answer") from error

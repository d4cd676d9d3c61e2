"""Reports: what became of a rotation."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from swarmsecrets import _documents
from swarmsecrets.errors import Error


@dataclass(frozen=True)
class VersionReport:
    """A version."""

    id: str
    name: str


@dataclass(frozen=True)
class SecretReport:
    """What became of one secret."""

    name: str
    outcome: str
    previous: VersionReport | None
    current: VersionReport | None


@dataclass(frozen=True)
class ConsumerReport:
    """What became of one service: `applied`, `rolled_back`, `not_started`, `failed`, `inconclusive`, `in_progress` or `left`."""

    service: str
    id: str
    outcome: str
    reason: str | None


@dataclass(frozen=True)
class StackReport:
    """What became of one stack's file, with the patch that is wanted, if one is."""

    name: str
    kind: str
    outcome: str
    patch: str | None


@dataclass(frozen=True)
class Report:
    """What became of a rotation.

    `outcome` is `applied`, `rolled_back`, `not_started`, `needs_human`, `awaiting_approval`, `awaiting_patch`, `conflict` or
    `denied`; `warnings` say what a person should know, and what to do next.
    """

    rotation: str
    outcome: str
    simulated: bool
    secrets: tuple[SecretReport, ...]
    consumers: tuple[ConsumerReport, ...]
    stacks: tuple[StackReport, ...]
    warnings: tuple[str, ...]
    requests: int
    closed: bool
    failures: tuple[Error, ...] = ()
    """What plugins of Python's have failed with meanwhile, with their tracebacks as causes."""
    _document: str = field(repr=False, compare=False, default="")

    @classmethod
    def _of(cls, document: dict[str, Any], failures: tuple[Error, ...] = ()) -> Report:
        report = _documents.read(cls, {"closed": False, **document, "_document": json.dumps(document)})
        return replace(report, failures=failures)

    def to_dict(self) -> dict[str, Any]:
        """The document of `swarmsecrets rotate --json`."""
        document: dict[str, Any] = json.loads(self._document)
        return document

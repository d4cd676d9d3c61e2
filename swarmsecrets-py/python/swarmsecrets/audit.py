"""The audit trail: who did what, when and why, written before and after each mutation."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from swarmsecrets import _documents


@dataclass(frozen=True)
class Actor:
    """Who acts."""

    account: str
    agent: str | None
    reason: str | None


@dataclass(frozen=True)
class AuditRecord:
    """What is written about one mutation, before and after. It holds no value."""

    at: str
    actor: Actor
    environment: int
    rotation: str
    plan: str
    """The plan's digest."""
    phase: Literal["intent", "outcome"]
    step: int
    """The number of the mutation in its rotation; intent and outcome share it."""
    direction: Literal["forward", "restore"]
    action: str
    outcome: str | None
    simulated: bool
    _document: str = field(repr=False, compare=False, default="")

    @classmethod
    def of(cls, document: dict[str, Any]) -> AuditRecord:
        """The record that a document tells."""
        return _documents.read(cls, {**document, "_document": json.dumps(document)})

    def to_dict(self) -> dict[str, Any]:
        """The document, as a line of the command's audit file."""
        document: dict[str, Any] = json.loads(self._document)
        return document


class AuditSink(Protocol):
    """Takes audit records. A mutation does not happen unless its intent was taken."""

    def append(self, record: AuditRecord) -> None | Awaitable[None]:
        """Appends a record, and returns when it is durable. Raise if it is not: then the mutation does not happen."""
        ...

"""The usage graph: which secrets there are, in which versions, and what uses them.

>>> import swarmsecrets
>>> inventory = swarmsecrets.SimSwarm().client().inventory()
>>> secret = inventory.secret("report_password")
>>> [consumer.service for consumer in secret.consumers]
['reports']
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from swarmsecrets import _documents, _native
from swarmsecrets.errors import NotFoundError


@dataclass(frozen=True)
class Version:
    """A Swarm secret: one version of a logical one."""

    id: str
    name: str
    version: int
    created: str
    labels: dict[str, str]
    owner: dict[str, Any] | None


@dataclass(frozen=True)
class Consumer:
    """A service that mounts a version, and where."""

    service: str
    id: str
    version: str
    target: str
    stack: str | None


@dataclass(frozen=True)
class Note:
    """Something worth knowing of a secret."""

    kind: str
    text: str


@dataclass(frozen=True)
class Secret:
    """A logical secret."""

    name: str
    current: str
    versions: tuple[Version, ...]
    consumers: tuple[Consumer, ...]
    findings: tuple[Note, ...]


@dataclass(frozen=True)
class Service:
    """A service that mounts secrets."""

    id: str
    name: str
    mode: str
    stack: str | None
    secrets: tuple[str, ...]


@dataclass(frozen=True)
class Stack:
    """A stack whose file names secrets."""

    id: int
    name: str
    kind: str
    status: str


class Inventory:
    """What is in a Swarm, as one account sees it. Nothing of it is read out of Rust before it is asked for."""

    def __init__(self, native: _native.Inventory) -> None:
        self._native = native

    @cached_property
    def _document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self._native.to_json())
        return document

    def to_dict(self) -> dict[str, Any]:
        """The document of `swarmsecrets inventory --json`."""
        copy: dict[str, Any] = json.loads(self._native.to_json())
        return copy

    @property
    def simulated(self) -> bool:
        """Whether it is of a simulation."""
        return bool(self._document["simulated"])

    @property
    def visibility(self) -> str:
        """`full`, or `partial` if the account does not see everything."""
        return str(self._document["visibility"])

    @cached_property
    def secrets(self) -> tuple[Secret, ...]:
        """The logical secrets, by name."""
        return tuple(_documents.read(Secret, one) for one in self._document["secrets"])

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """The services that mount secrets."""
        return tuple(_documents.read(Service, one) for one in self._document["services"])

    @cached_property
    def stacks(self) -> tuple[Stack, ...]:
        """The stacks whose files name secrets."""
        return tuple(_documents.read(Stack, one) for one in self._document["stacks"])

    def secret(self, name: str) -> Secret:
        """The logical secret of this name.

        Raises `NotFoundError` if there is none.
        """
        found = next((secret for secret in self.secrets if secret.name == name), None)
        if found is None:
            raise NotFoundError(f"there is no secret `{name}`")
        return found

    def draw(self, format: str = "svg") -> str:
        """The usage graph as `svg`, `mermaid` or `dot`."""
        return self._native.draw(format)

    def _repr_html_(self) -> str:
        return self.draw("svg")

    def __repr__(self) -> str:
        simulated = ", simulated" if self.simulated else ""
        return f"<Inventory: {len(self.secrets)} secrets, {len(self.services)} services, {self.visibility} view{simulated}>"

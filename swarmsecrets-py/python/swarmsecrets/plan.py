"""Plans: what a rotation would do, sealed by a digest.

>>> import pickle, swarmsecrets
>>> client = swarmsecrets.SimSwarm().client()
>>> plan = client.plan_rotation("report_password", value=swarmsecrets.Generate())
>>> pickle.loads(pickle.dumps(plan)).digest == plan.digest
True
"""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from typing import Any

from swarmsecrets import _documents, _native


@dataclass(frozen=True)
class Step:
    """Something that is done, in order."""

    kind: str
    text: str


@dataclass(frozen=True)
class Warning:  # noqa: A001 - under this package's name
    """Something that a person should know before saying yes."""

    kind: str
    about: str | None
    text: str


class Plan:
    """What a rotation would do. It cannot be changed: a pickled plan that was is refused."""

    __slots__ = ("_native",)

    def __init__(self, native: _native.Plan) -> None:
        self._native = native

    @classmethod
    def from_json(cls, text: str | bytes) -> Plan:
        """Reads a plan that `to_json`, or `plan rotate --out`, wrote.

        Raises `InvalidError` if it was changed since.
        """
        return cls(_native.Plan.from_json(text.encode() if isinstance(text, str) else text))

    def to_json(self) -> str:
        """The plan as a document. It holds no value."""
        return self._native.to_json().decode()

    def to_dict(self) -> dict[str, Any]:
        """The same as a dict."""
        document: dict[str, Any] = json.loads(self._native.to_json())
        return document

    @property
    def digest(self) -> str:
        """The SHA-256 that seals it."""
        return self._native.digest

    def diff(self) -> str:
        """What it changes, for people."""
        return self._native.diff()

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is done, in order."""
        return tuple(_documents.read(Step, one) for one in self.to_dict()["steps"])

    @property
    def warnings(self) -> tuple[Warning, ...]:
        """What a person should know before saying yes."""
        return tuple(_documents.read(Warning, one) for one in self.to_dict()["warnings"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Plan.from_json, (self.to_json(),))

    def __repr__(self) -> str:
        return f"<Plan {self.digest[:12]}: {self.diff().splitlines()[0].strip()}>"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.diff())}</pre>"

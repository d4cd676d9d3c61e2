"""Change requests and approvals: what needs an approval is asked for, decided on by other people, and carried out once.

Who approves says the `approval` section of the policy. The keys are made by `keygen`, or `swarmsecrets keygen`:

>>> import pathlib, tempfile, swarmsecrets
>>> from swarmsecrets import approval
>>> folder = tempfile.TemporaryDirectory()
>>> alice = pathlib.Path(folder.name) / "alice.key"
>>> public = approval.keygen(alice)
>>> policy = swarmsecrets.Policy.parse(f'''
... schema = 1
... phase = "assisted"
... [approval]
... folder = "{folder.name}/requests"
... state = "{folder.name}/state"
... approvers = [{{ identity = "alice", key = "{public}" }}]
... ''')
>>> client = swarmsecrets.SimSwarm().client(agent_id="agent-7", policy=policy)
>>> plan = client.plan_rotation("report_password", value=swarmsecrets.Generate())
>>> request = client.request_change(plan, reason="it is ninety days old")
>>> try:
...     client.apply(plan, approval=request, confirm=True)
... except swarmsecrets.errors.NeedsApprovalError as error:
...     print(error)
not enough approvals: 1 more person of 1 must approve the change request

Alice reads `request.text` and signs, with a key that the agent does not have:

>>> decision = approval.approve(request, key=alice, identity="alice")
>>> client.apply(plan, approval=approval.Approval(request, decision), confirm=True).outcome
'applied'
>>> folder.cleanup()
"""

from __future__ import annotations

import html
import json
import pathlib
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from datetime import datetime
from os import PathLike
from typing import Any, Literal, Protocol

from swarmsecrets import _native
from swarmsecrets.plan import Plan

Key = str | PathLike[str] | _native.SecretValue
"""The file with a private key, or its text."""


class ChangeRequest:
    """What is asked for: a plan, who asks and why, and all that an approval is bound to. It cannot be changed: a pickled or stored one that
    was is refused. It holds no value."""

    __slots__ = ("_native",)

    def __init__(self, native: _native.ChangeRequest) -> None:
        self._native = native

    @classmethod
    def from_json(cls, text: str | bytes) -> ChangeRequest:
        """Reads a request that `to_json`, or the command, wrote.

        Raises `InvalidError` if it was changed since.
        """
        return cls(_native.ChangeRequest.from_json(text.encode() if isinstance(text, str) else text))

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> ChangeRequest:
        """Reads a request from a file, such as those in the policy's folder."""
        return cls.from_json(pathlib.Path(path).read_bytes())

    def to_json(self) -> str:
        """The request as a document."""
        return self._native.to_json().decode()

    def to_file(self, path: str | PathLike[str]) -> None:
        """Writes it to a file, which the command takes too."""
        pathlib.Path(path).write_bytes(self._native.to_json())

    def to_dict(self) -> dict[str, Any]:
        """The same as a dict."""
        document: dict[str, Any] = json.loads(self._native.to_json())
        return document

    @property
    def digest(self) -> str:
        """The SHA-256 that seals it, and that decisions name."""
        return self._native.digest

    @property
    def text(self) -> str:
        """The request for a person. What came from outside stands in it without anything that could drive a terminal or pass for ours."""
        return self._native.text()

    @property
    def plan(self) -> Plan:
        """What is to be done."""
        return Plan(self._native.plan())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChangeRequest) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[Any, ...]:
        return (ChangeRequest.from_json, (self.to_json(),))

    def __repr__(self) -> str:
        return f"<ChangeRequest {self.digest[:12]}: {self.plan!r}>"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.text)}</pre>"


class Decision:
    """What one approver says to one request, signed with a key of theirs: it is believed whoever brings it, once the policy has the key."""

    __slots__ = ("_native",)

    def __init__(self, native: _native.Decision) -> None:
        self._native = native

    @classmethod
    def from_json(cls, text: str | bytes) -> Decision:
        """Reads a decision. Whether it is to be believed is seen when it is judged."""
        return cls(_native.Decision.from_json(text.encode() if isinstance(text, str) else text))

    def to_json(self) -> str:
        """The decision as a document."""
        return self._native.to_json().decode()

    def to_dict(self) -> dict[str, Any]:
        """The same as a dict: `request`, `decision`, `approver`, `key`, `at`, `comment`, `signature`."""
        document: dict[str, Any] = json.loads(self._native.to_json())
        return document

    def put(self, folder: str | PathLike[str]) -> None:
        """Puts it into a folder of change requests, as `swarmsecrets approve` does."""
        self._native.put(folder)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Decision) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.to_json())

    def __reduce__(self) -> tuple[Any, ...]:
        return (Decision.from_json, (self.to_json(),))

    def __repr__(self) -> str:
        document = self.to_dict()
        return f"<Decision {document['decision']} by {document['approver']!r} on {document['request'][:12]}>"


@dataclass(frozen=True)
class ReadBack:
    """What stands in a system's own records about a decision. It proves nothing by itself: it counts only if the policy has an entry
    `[approvers.NAME]` with `identities` for the approver that brings it."""

    request: str
    """The digest, as it stands in the ticket or message itself."""
    verdict: Literal["approve", "deny"]
    account: str
    """The account that decided, as the system identifies it to programs."""
    at: datetime | str
    """When, by the system's own record, with a time zone."""
    reference: str
    """What people call the ticket."""


class Approval:
    """A request, with decisions on it that are in hand. What the approvers have is read as well: a denial is not left out."""

    __slots__ = ("decisions", "request")

    def __init__(self, request: ChangeRequest, *decisions: Decision) -> None:
        self.request = request
        self.decisions = decisions


@dataclass(frozen=True)
class _Given:
    """An approval, as Rust reads it."""

    request: _native.ChangeRequest
    decisions: list[_native.Decision]


def given(approval: ChangeRequest | Approval | None) -> _Given | None:
    """The approval, as Rust reads it."""
    if approval is None:
        return None
    if isinstance(approval, ChangeRequest):
        return _Given(approval._native, [])
    return _Given(approval.request._native, [one._native for one in approval.decisions])


def keygen(path: str | PathLike[str]) -> str:
    """Makes an approver's key. The private half is written into a file for its owner alone, which must not be there yet: an agent must not
    be able to read it. The public half is given, for the policy."""
    return _native.keygen(path)


def approve(request: ChangeRequest, *, key: Key, identity: str, comment: str | None = None) -> Decision:
    """Signs that the request may be carried out. `identity` is who signs, as the policy has it. Show them `request.text` before.

    Raises `NeedsApprovalError` if the request has expired.
    """
    return Decision(_native.sign(request._native, "approve", identity, comment, _key(key)))


def deny(request: ChangeRequest, *, key: Key, identity: str, comment: str | None = None) -> Decision:
    """Signs that the request must not be carried out. One denial is enough, whatever others say."""
    return Decision(_native.sign(request._native, "deny", identity, comment, _key(key)))


def _key(key: Key) -> _native.SecretValue:
    return key if isinstance(key, _native.SecretValue) else _native.SecretValue.from_file(key)


class Approver(Protocol):
    """Carries change requests to those who approve, and their decisions back: a chat, a board, a ticket system."""

    name: str
    """What it is called, for people."""

    def request(self, request: ChangeRequest) -> None | Awaitable[None]:
        """Makes the request known, and returns when it is. One of the same digest that is known already is not made known twice."""
        ...

    def decisions(
        self, request: ChangeRequest
    ) -> Iterable[Decision | ReadBack] | Awaitable[Iterable[Decision | ReadBack]]:
        """What was decided so far, in any order. None is no error. Raise if it cannot be told."""
        ...

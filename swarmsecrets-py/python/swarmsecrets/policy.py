"""Policies: who may change which secrets, when, and with whose leave.

A client is given one with `policy=`, as a path or as a `Policy`. It holds for all that the client plans and carries out, beside labels and
the policy that is installed on the machine (`/etc/swarmsecrets/policy.toml`; not in simulations): the strictest decides. Files are read
once, when the client is made. The kill switch that a policy names is looked for before each mutation.

>>> import swarmsecrets
>>> policy = swarmsecrets.Policy.parse('''
... schema = 1
... phase = "assisted"
...
... [[rules]]
... name = "agents-leave-payments-alone"
... effect = "deny"
... reason = "payments are changed by people"
... select = { secrets = ["payment*"], agents = ["*"] }
... ''')
>>> client = swarmsecrets.SimSwarm().client(agent_id="agent-7", policy=policy)
>>> judgement = policy.judge(client.inventory(), "payment_api_key", agent="agent-7")
>>> judgement.decision, judgement.rulings[0].by
('deny', 'rule `agents-leave-payments-alone`')
>>> client.explain("report_password").decision
'needs_approval'
>>> try:
...     client.rotate("report_password", value=swarmsecrets.Generate(), confirm=True)
... except swarmsecrets.Error as error:
...     print(error.kind)
needs_approval
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from os import PathLike
from typing import Any, Literal

from swarmsecrets import _native
from swarmsecrets.audit import Moment, _written
from swarmsecrets.inventory import Inventory


@dataclass(frozen=True)
class Ruling:
    """What one part of a policy says."""

    by: str
    """The part: a rule, the phase, the default, a label."""
    decision: Literal["allow", "needs_approval", "deny"]
    reason: str | None
    """Why; None where it allows."""
    policy: str
    """The policy that the part is of: its file, `given as text`, or `built in`."""


@dataclass(frozen=True)
class Judgement:
    """What policies say to one thing that somebody wants to do to one secret. What they say to a value and to a grace period is
    told by plans, which have those, and when they are carried out."""

    decision: Literal["allow", "needs_approval", "deny"]
    """What holds, whenever it is done: the strictest of the rulings."""
    reason: str | None
    """Why; None where it is allowed."""
    rulings: tuple[Ruling, ...]
    """All parts that hold, the strictest first."""
    open: bool
    """Whether maintenance windows and freezes let it be done at the time that was asked about."""
    closed: str | None
    """Why not, and when the next window opens."""
    limits: tuple[str, ...]
    """The limits that it falls under, in words. Whether they have room is told when it is begun."""
    values: tuple[str, ...] = ()
    """What is asked of its new values, in words."""

    @classmethod
    def _of(cls, text: str) -> Judgement:
        document = json.loads(text)
        parts = document["rulings"]
        rulings = tuple(Ruling(one["by"], one["decision"], one.get("reason"), one["policy"]) for one in parts)
        closed: str | None = document["closed"]
        limits, values = tuple(document["limits"]), tuple(document["values"])
        return cls(rulings[0].decision, rulings[0].reason, rulings, closed is None, closed, limits, values)


@dataclass(frozen=True)
class Due:
    """When a secret is to be rotated, and what says so."""

    secret: str
    """The logical secret."""
    at: str
    """From when on, as in `2026-05-07T21:09:36Z`."""
    by: str
    """What says so: an entry of a policy, or its label."""
    overdue: bool
    """Whether that is now, by the client's clock."""

    @classmethod
    def _all(cls, text: str) -> list[Due]:
        return [cls(**one) for one in json.loads(text)]


@dataclass(frozen=True)
class _Asked:
    """What is asked, as Rust reads it."""

    secret: str
    action: str
    at: str | None


def _asked(secret_name: str, action: str, at: Moment | None) -> _Asked:
    return _Asked(secret_name, action, _written("at", at))


class Policy:
    """A policy. It cannot be changed, and holds no value. Pickled, it is its text, which is read anew."""

    __slots__ = ("_native",)

    def __init__(self, native: _native.Policy) -> None:
        self._native = native

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Policy:
        """Reads a policy from its file.

        Raises `SettingsError`, with the line and column, if it cannot be read or is not good.
        """
        return cls(_native.Policy.read(path))

    @classmethod
    def parse(cls, text: str) -> Policy:
        """Reads a policy from its text, which is TOML. Time zones are those that come with this package, whatever the machine has.

        Raises `SettingsError`, with the line and column, if it is not good.
        """
        return cls(_native.Policy.parse("given as text", text))

    @staticmethod
    def schema() -> dict[str, Any]:
        """The JSON Schema of the file, as `swarmsecrets policy schema` prints it."""
        schema: dict[str, Any] = json.loads(_native.Policy.schema())
        return schema

    @property
    def name(self) -> str:
        """The file that it was read from, or `given as text`."""
        return self._native.name

    @property
    def text(self) -> str:
        """The text that it was read from."""
        return self._native.text

    def judge(
        self,
        inventory: Inventory,
        secret_name: str,
        action: Literal["create", "rotate", "revoke"] = "rotate",
        agent: str | None = None,
        *,
        at: Moment | None = None,
    ) -> Judgement:
        """What this policy alone, and labels, say to an action of an agent, or of a person. `Client.explain` asks all policies in force.

        `at` is the time for which windows are asked: now, by this machine's clock, if it is left out; `swarm.now` in a `SimSwarm`. A
        secret that is to be created need not be there; which labels it will have is not known then.
        """
        return Judgement._of(self._native.judge(inventory._native, _asked(secret_name, action, at), agent))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and (self.name, self.text) == (other.name, other.text)

    def __hash__(self) -> int:
        return hash((self.name, self.text))

    def __reduce__(self) -> tuple[Any, ...]:
        return (_again, (self.name, self.text))

    def __repr__(self) -> str:
        return f"<Policy {self.name}: {self._native.summary()}>"


def _again(name: str, text: str) -> Policy:
    """A policy that was pickled."""
    return Policy(_native.Policy.parse(name, text))

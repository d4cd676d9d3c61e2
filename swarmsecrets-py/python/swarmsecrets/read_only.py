"""Clients that read, plan and ask people, and have no method that changes a Swarm.

>>> import swarmsecrets
>>> looking = swarmsecrets.SimSwarm().client().read_only()
>>> plan = looking.plan_rotation("report_password", value=swarmsecrets.Generate())
>>> hasattr(looking, "apply")
False
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from swarmsecrets import _native
from swarmsecrets._plugins import TransportAdapter
from swarmsecrets.approval import ChangeRequest
from swarmsecrets.audit import Moment
from swarmsecrets.inventory import Inventory
from swarmsecrets.plan import Plan
from swarmsecrets.policy import Due, Judgement, _asked
from swarmsecrets.report import Report
from swarmsecrets.request import AskedFirst, Group, Limits, Names, Values, asked, duration, handed_over, made
from swarmsecrets.settings import Given, Path, Settings
from swarmsecrets.transport import Transport

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack  # of `typing` from Python 3.11 on


class _Reading:
    """What all kinds of clients are made of."""

    __slots__ = ("_reading",)

    def __init__(
        self,
        url: str,
        *,
        api_key: _native.SecretValue | str,
        endpoint: int,
        ca_file: Path | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        """A client of the environment `endpoint` of the Portainer at `url`. Nothing is sent yet."""
        key = _native.SecretValue(api_key) if isinstance(api_key, str) else api_key
        given = Given.of(**settings)
        self._hold(_native.Session.portainer(url, key, endpoint, ca_file, given), given)

    @classmethod
    def over(cls, transport: Transport, *, endpoint: int, **settings: Unpack[Settings]) -> Self:
        """A client that reaches Portainer by a transport of one's own."""
        limit, given = duration(settings.get("plugin_timeout", "30s")), Given.of(**settings)
        adapter = TransportAdapter(transport, limit, given.failures)
        return cls._of(_native.Session.over(adapter, endpoint, given), given)

    @classmethod
    def connect(cls, address: str, *, token: _native.SecretValue | str) -> Self:
        """A client of a server (`swarmsecrets run`) on this machine, which holds the API key: `unix:/run/swarmsecrets/socket`, or
        `http://127.0.0.1:7979`. Its policies and its journal are that server's, and the agent that acts is the one that the token was
        given to: `confirm=True` is not needed, as what may be done is said by the server's policy alone. Values cannot be handed over: they
        are generated, or come from a source of the server's. Nothing is sent yet."""
        known_by = _native.SecretValue(token) if isinstance(token, str) else token
        return cls._of(_native.Session.connect(address, known_by), Given.of())

    @classmethod
    def _of(cls, session: _native.Session, given: Given) -> Self:
        client = cls.__new__(cls)
        client._hold(session, given)
        return client

    def _hold(self, session: _native.Session, given: Given) -> None:
        self._reading = session.read_only()


def _reports(text: str) -> list[Report]:
    return [Report._of(one) for one in json.loads(text)]


class ReadOnlyClient(_Reading):
    """A client that waits, and changes nothing."""

    __slots__ = ()

    def inventory(self) -> Inventory:
        """Reads which secrets there are, in which versions, and what uses them."""
        return Inventory(self._reading.inventory(True))

    def plan_rotation(
        self, of: Names | Group, *, value: Values = None, reason: str | None = None, **limits: Unpack[Limits]
    ) -> Plan:
        """Plans a rotation and changes nothing. A value that is handed over is not needed yet."""
        return Plan(self._reading.plan(True, asked(of, value, reason, limits)))

    def plan_create(
        self, name: str, *, value: Values = None, labels: Mapping[str, str] | None = None, reason: str | None = None
    ) -> Plan:
        """Plans the first version of a secret and changes nothing."""
        return Plan(self._reading.plan_create(True, AskedFirst(name, made(value), dict(labels or {}), reason)))

    def explain(
        self, name: str, action: Literal["create", "rotate", "revoke"] = "rotate", *, at: Moment | None = None
    ) -> Judgement:
        """What all policies in force say to an action of this client's agent, or of its user: the installed one, the one that the client was
        given, and the built-in one. Nothing is changed. `at` is the time for which windows are asked: now, if it is left out."""
        return Judgement._of(self._reading.explain(True, _asked(name, action, at)))

    def request_change(self, plan: Plan, value: Values = None, *, reason: str | None = None) -> ChangeRequest:
        """Asks people for a plan that needs an approval: makes a change request and makes it known, by the policy's folder and the client's
        approvers. With a `fingerprint_key`, a value that is handed over is bound to it. Nothing is changed.

        Raises `NeedsApprovalError` if no policy says who approves.
        """
        return ChangeRequest(self._reading.request_change(True, plan._native, handed_over(value), reason))

    def due(self) -> list[Due]:
        """When secrets are to be rotated, as the policies in force and the label `rotation-policy` say, the soonest first. Nothing is
        changed."""
        return Due._all(self._reading.due(True))

    def unfinished(self) -> list[Report]:
        """The rotations of this journal that have not ended, oldest first, as they stand."""
        return _reports(self._reading.unfinished(True))


class AsyncReadOnlyClient(_Reading):
    """The same, awaited."""

    __slots__ = ()

    async def inventory(self) -> Inventory:
        """As `ReadOnlyClient.inventory`."""
        return Inventory(await self._reading.inventory(False))

    async def plan_rotation(
        self, of: Names | Group, *, value: Values = None, reason: str | None = None, **limits: Unpack[Limits]
    ) -> Plan:
        """As `ReadOnlyClient.plan_rotation`."""
        return Plan(await self._reading.plan(False, asked(of, value, reason, limits)))

    async def plan_create(
        self, name: str, *, value: Values = None, labels: Mapping[str, str] | None = None, reason: str | None = None
    ) -> Plan:
        """As `ReadOnlyClient.plan_create`."""
        return Plan(await self._reading.plan_create(False, AskedFirst(name, made(value), dict(labels or {}), reason)))

    async def explain(
        self, name: str, action: Literal["create", "rotate", "revoke"] = "rotate", *, at: Moment | None = None
    ) -> Judgement:
        """As `ReadOnlyClient.explain`."""
        return Judgement._of(await self._reading.explain(False, _asked(name, action, at)))

    async def request_change(self, plan: Plan, value: Values = None, *, reason: str | None = None) -> ChangeRequest:
        """As `ReadOnlyClient.request_change`."""
        return ChangeRequest(await self._reading.request_change(False, plan._native, handed_over(value), reason))

    async def due(self) -> list[Due]:
        """As `ReadOnlyClient.due`."""
        return Due._all(await self._reading.due(False))

    async def unfinished(self) -> list[Report]:
        """As `ReadOnlyClient.unfinished`."""
        return _reports(await self._reading.unfinished(False))

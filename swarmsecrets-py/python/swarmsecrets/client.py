"""The way to a Portainer, and what can be done there.

Everything that changes something needs `confirm=True`, the key holder's word; without it nothing is sent. What is carried out
is kept in a journal, so that `resume` goes on after a crash.
"""

from __future__ import annotations

import json
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

from swarmsecrets import _native
from swarmsecrets._native import Cancellation
from swarmsecrets._plugins import TransportAdapter
from swarmsecrets.approval import Approval, ChangeRequest, given
from swarmsecrets.audit import Moment
from swarmsecrets.inventory import Inventory
from swarmsecrets.order import order
from swarmsecrets.plan import Plan
from swarmsecrets.policy import Due, Judgement, _asked
from swarmsecrets.progress import AsyncRunning, Observer, Running
from swarmsecrets.report import Report
from swarmsecrets.request import AskedFirst, Group, Limits, Names, Values, asked, duration, handed_over, made
from swarmsecrets.settings import Given, Path, Settings
from swarmsecrets.transport import Transport

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack  # of `typing` from Python 3.11 on


class _Session:
    """What both kinds of clients are made of."""

    __slots__ = ("_failures", "_session")

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
        self._session = _native.Session.portainer(url, key, endpoint, ca_file, given)
        self._failures = given.failures

    @classmethod
    def over(cls, transport: Transport, *, endpoint: int, **settings: Unpack[Settings]) -> Self:
        """A client that reaches Portainer by a transport of one's own."""
        limit, given = duration(settings.get("plugin_timeout", "30s")), Given.of(**settings)
        adapter = TransportAdapter(transport, limit, given.failures)
        return cls._of(_native.Session.over(adapter, endpoint, given), given)

    @classmethod
    def _of(cls, session: _native.Session, given: Given) -> Self:
        client = cls.__new__(cls)
        client._session, client._failures = session, given.failures
        return client

    def _report(self, text: str) -> Report:
        failures = tuple(self._failures)
        del self._failures[: len(failures)]
        return Report._of(json.loads(text), failures)

    def _reports(self, text: str) -> list[Report]:
        return [Report._of(one) for one in json.loads(text)]


class Client(_Session):
    """A client that waits. The interpreter goes on in other threads meanwhile.

    >>> import swarmsecrets
    >>> client = swarmsecrets.SimSwarm().client()
    >>> report = client.rotate("report_password", value=swarmsecrets.SecretValue("made up"), confirm=True)
    >>> report.outcome, [consumer.outcome for consumer in report.consumers]
    ('applied', ['applied'])
    """

    def inventory(self) -> Inventory:
        """Reads which secrets there are, in which versions, and what uses them."""
        return Inventory(self._session.inventory(True))

    def plan_rotation(
        self, of: Names | Group, *, value: Values = None, reason: str | None = None, **limits: Unpack[Limits]
    ) -> Plan:
        """Plans a rotation and changes nothing. A value that is handed over is not needed yet."""
        return Plan(self._session.plan(True, asked(of, value, reason, limits)))

    def plan_create(
        self, name: str, *, value: Values = None, labels: Mapping[str, str] | None = None, reason: str | None = None
    ) -> Plan:
        """Plans the first version of a secret and changes nothing."""
        return Plan(self._session.plan_create(True, AskedFirst(name, made(value), dict(labels or {}), reason)))

    def explain(
        self, name: str, action: Literal["create", "rotate", "revoke"] = "rotate", *, at: Moment | None = None
    ) -> Judgement:
        """What all policies in force say to an action of this client's agent, or of its user: the installed one, the one that the client was
        given, and the built-in one. Nothing is changed. `at` is the time for which windows are asked: now, if it is left out."""
        return Judgement._of(self._session.explain(True, _asked(name, action, at)))

    def request_change(self, plan: Plan, value: Values = None, *, reason: str | None = None) -> ChangeRequest:
        """Asks people for a plan that needs an approval: makes a change request and makes it known, by the policy's folder and the client's
        approvers. With a `fingerprint_key`, a value that is handed over is bound to it. Nothing is changed.

        Raises `NeedsApprovalError` if no policy says who approves.
        """
        return ChangeRequest(self._session.request_change(True, plan._native, handed_over(value), reason))

    def due(self) -> list[Due]:
        """When secrets are to be rotated, as the policies in force and the label `rotation-policy` say, the soonest first. Nothing is
        changed."""
        return Due._all(self._session.due(True))

    @overload
    def apply(
        self,
        plan: Plan,
        value: Values = None,
        approval: ChangeRequest | Approval | None = None,
        *,
        confirm: bool = False,
        reason: str | None = None,
        observer: Observer | None = None,
        stream: Literal[False] = False,
    ) -> Report: ...
    @overload
    def apply(
        self,
        plan: Plan,
        value: Values = None,
        approval: ChangeRequest | Approval | None = None,
        *,
        confirm: bool = False,
        reason: str | None = None,
        stream: Literal[True],
    ) -> Running: ...
    def apply(
        self,
        plan: Plan,
        value: Values = None,
        approval: ChangeRequest | Approval | None = None,
        *,
        confirm: bool = False,
        reason: str | None = None,
        observer: Observer | None = None,
        stream: bool = False,
    ) -> Report | Running:
        """Carries a plan out. A generated value is made now; one that is handed over is given with `value`. With `stream`, it is
        carried out in a thread of its own, and what happens is iterated over. A plan that needs an approval is carried out with that: a
        change request (`request_change`) whose decisions the approvers have, or an `Approval` with decisions in hand."""
        values, approved = handed_over(value), given(approval)

        def work(observer: Observer | None, cancellation: Cancellation | None = None) -> Report:
            how = order(confirm, reason, observer, cancellation)
            return self._report(self._session.apply(True, how, plan._native, values, approved))

        return Running(work) if stream else work(observer)

    def rotate(
        self,
        of: Names | Group,
        *,
        value: Values,
        confirm: bool = False,
        reason: str | None = None,
        observer: Observer | None = None,
        **limits: Unpack[Limits],
    ) -> Report:
        """Plans and carries out in one."""
        plan = self.plan_rotation(of, value=value, reason=reason, **limits)
        return self.apply(plan, value, confirm=confirm, reason=reason, observer=observer)

    def revoke(
        self,
        name: str,
        *,
        value: Values,
        confirm: bool = False,
        reason: str | None = None,
        observer: Observer | None = None,
        **limits: Unpack[Limits],
    ) -> Report:
        """Replaces a value that has leaked, everywhere and at once."""
        limits["strategy"] = "revoke"
        return self.rotate(name, value=value, confirm=confirm, reason=reason, observer=observer, **limits)

    def create(
        self,
        name: str,
        *,
        value: Values,
        labels: Mapping[str, str] | None = None,
        confirm: bool = False,
        reason: str | None = None,
    ) -> Report:
        """Makes the first version of a secret."""
        plan = self.plan_create(name, value=value, labels=labels, reason=reason)
        return self.apply(plan, value, confirm=confirm, reason=reason)

    def unfinished(self) -> list[Report]:
        """The rotations of this journal that have not ended, oldest first, as they stand."""
        return self._reports(self._session.unfinished(True, order(False, None)))

    def resume(
        self,
        id: str,
        value: Values = None,
        *,
        confirm: bool = False,
        accept_inconclusive: bool = False,
        reason: str | None = None,
        observer: Observer | None = None,
    ) -> Report:
        """Goes on with a rotation that was interrupted, or, with `accept_inconclusive`, that waits for a person because a probe cannot tell."""
        how = order(confirm, reason, observer, accept_inconclusive=accept_inconclusive)
        return self._report(self._session.resume(True, how, id, handed_over(value)))

    def rollback(self, id: str, *, confirm: bool = False, reason: str | None = None) -> Report:
        """Puts every service back on the version before, and removes the new one."""
        return self._report(self._session.rollback(True, order(confirm, reason), id))

    def close(self, id: str, *, reason: str, confirm: bool = False) -> Report:
        """Ends a rotation where it stands, when a person has seen to what it left."""
        return self._report(self._session.close(True, order(confirm, reason), id))

    def retire(self, *, confirm: bool = False, reason: str | None = None) -> list[Report]:
        """Deletes replaced versions whose grace is over and that nothing uses. Reports on all that are kept yet."""
        return self._reports(self._session.retire(True, order(confirm, reason)))


class AsyncClient(_Session):
    """The same, awaited. If the task that awaits is cancelled, no further consumer is begun, and the one in hand is finished or
    undone in the background; `resume` goes on from there.

    >>> import asyncio, swarmsecrets
    >>> client = swarmsecrets.SimSwarm().async_client()
    >>> async def rotate():
    ...     return await client.rotate("report_password", value=swarmsecrets.Generate(), confirm=True)
    >>> asyncio.run(rotate()).outcome
    'applied'
    """

    async def inventory(self) -> Inventory:
        """As `Client.inventory`."""
        return Inventory(await self._session.inventory(False))

    async def plan_rotation(
        self, of: Names | Group, *, value: Values = None, reason: str | None = None, **limits: Unpack[Limits]
    ) -> Plan:
        """As `Client.plan_rotation`."""
        return Plan(await self._session.plan(False, asked(of, value, reason, limits)))

    async def plan_create(
        self, name: str, *, value: Values = None, labels: Mapping[str, str] | None = None, reason: str | None = None
    ) -> Plan:
        """As `Client.plan_create`."""
        return Plan(await self._session.plan_create(False, AskedFirst(name, made(value), dict(labels or {}), reason)))

    async def explain(
        self, name: str, action: Literal["create", "rotate", "revoke"] = "rotate", *, at: Moment | None = None
    ) -> Judgement:
        """As `Client.explain`."""
        return Judgement._of(await self._session.explain(False, _asked(name, action, at)))

    async def request_change(self, plan: Plan, value: Values = None, *, reason: str | None = None) -> ChangeRequest:
        """As `Client.request_change`."""
        return ChangeRequest(await self._session.request_change(False, plan._native, handed_over(value), reason))

    async def due(self) -> list[Due]:
        """As `Client.due`."""
        return Due._all(await self._session.due(False))

    @overload
    def apply(
        self,
        plan: Plan,
        value: Values = None,
        approval: ChangeRequest | Approval | None = None,
        *,
        confirm: bool = False,
        reason: str | None = None,
        observer: Observer | None = None,
        stream: Literal[False] = False,
    ) -> Coroutine[Any, Any, Report]: ...
    @overload
    def apply(
        self,
        plan: Plan,
        value: Values = None,
        approval: ChangeRequest | Approval | None = None,
        *,
        confirm: bool = False,
        reason: str | None = None,
        stream: Literal[True],
    ) -> AsyncRunning: ...
    def apply(
        self,
        plan: Plan,
        value: Values = None,
        approval: ChangeRequest | Approval | None = None,
        *,
        confirm: bool = False,
        reason: str | None = None,
        observer: Observer | None = None,
        stream: bool = False,
    ) -> Coroutine[Any, Any, Report] | AsyncRunning:
        """As `Client.apply`; with `stream`, an `AsyncRunning`, and nothing is to be awaited yet."""
        values, approved = handed_over(value), given(approval)

        async def work(observer: Observer | None, cancellation: Cancellation | None = None) -> Report:
            how = order(confirm, reason, observer, cancellation)
            return self._report(await self._session.apply(False, how, plan._native, values, approved))

        return AsyncRunning(work) if stream else work(observer)

    async def rotate(
        self,
        of: Names | Group,
        *,
        value: Values,
        confirm: bool = False,
        reason: str | None = None,
        observer: Observer | None = None,
        **limits: Unpack[Limits],
    ) -> Report:
        """As `Client.rotate`."""
        plan = await self.plan_rotation(of, value=value, reason=reason, **limits)
        return await self.apply(plan, value, confirm=confirm, reason=reason, observer=observer)

    async def revoke(
        self,
        name: str,
        *,
        value: Values,
        confirm: bool = False,
        reason: str | None = None,
        observer: Observer | None = None,
        **limits: Unpack[Limits],
    ) -> Report:
        """As `Client.revoke`."""
        limits["strategy"] = "revoke"
        return await self.rotate(name, value=value, confirm=confirm, reason=reason, observer=observer, **limits)

    async def create(
        self,
        name: str,
        *,
        value: Values,
        labels: Mapping[str, str] | None = None,
        confirm: bool = False,
        reason: str | None = None,
    ) -> Report:
        """As `Client.create`."""
        plan = await self.plan_create(name, value=value, labels=labels, reason=reason)
        return await self.apply(plan, value, confirm=confirm, reason=reason)

    async def unfinished(self) -> list[Report]:
        """As `Client.unfinished`."""
        return self._reports(await self._session.unfinished(False, order(False, None)))

    async def resume(
        self,
        id: str,
        value: Values = None,
        *,
        confirm: bool = False,
        accept_inconclusive: bool = False,
        reason: str | None = None,
        observer: Observer | None = None,
    ) -> Report:
        """As `Client.resume`."""
        how = order(confirm, reason, observer, accept_inconclusive=accept_inconclusive)
        return self._report(await self._session.resume(False, how, id, handed_over(value)))

    async def rollback(self, id: str, *, confirm: bool = False, reason: str | None = None) -> Report:
        """As `Client.rollback`."""
        return self._report(await self._session.rollback(False, order(confirm, reason), id))

    async def close(self, id: str, *, reason: str, confirm: bool = False) -> Report:
        """As `Client.close`."""
        return self._report(await self._session.close(False, order(confirm, reason), id))

    async def retire(self, *, confirm: bool = False, reason: str | None = None) -> list[Report]:
        """As `Client.retire`."""
        return self._reports(await self._session.retire(False, order(confirm, reason)))

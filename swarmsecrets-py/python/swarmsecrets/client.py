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
from swarmsecrets.approval import Approval, ChangeRequest, given
from swarmsecrets.order import order
from swarmsecrets.plan import Plan
from swarmsecrets.progress import AsyncRunning, Observer, Running
from swarmsecrets.read_only import AsyncReadOnlyClient, ReadOnlyClient, _Reading, _reports
from swarmsecrets.report import Report
from swarmsecrets.request import Limits, Names, Group, Values, handed_over
from swarmsecrets.settings import Given

if TYPE_CHECKING:
    from typing_extensions import Unpack  # of `typing` from Python 3.11 on


class _Writing(_Reading):
    """What both kinds of clients are made of that also change something."""

    __slots__ = ("_failures", "_session")

    def _hold(self, session: _native.Session, given: Given) -> None:
        super()._hold(session, given)
        self._session, self._failures = session, given.failures

    def _report(self, text: str) -> Report:
        failures = tuple(self._failures)
        del self._failures[: len(failures)]
        return Report._of(json.loads(text), failures)


class Client(_Writing, ReadOnlyClient):
    """A client that waits. The interpreter goes on in other threads meanwhile.

    >>> import swarmsecrets
    >>> client = swarmsecrets.SimSwarm().client()
    >>> report = client.rotate("report_password", value=swarmsecrets.SecretValue("made up"), confirm=True)
    >>> report.outcome, [consumer.outcome for consumer in report.consumers]
    ('applied', ['applied'])
    """

    __slots__ = ()

    def read_only(self) -> ReadOnlyClient:
        """The same client without its methods that change something: to be handed to those who are only to look."""
        return ReadOnlyClient._of(self._session, Given.of())

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
        return _reports(self._session.retire(True, order(confirm, reason)))


class AsyncClient(_Writing, AsyncReadOnlyClient):
    """The same, awaited. If the task that awaits is cancelled, no further consumer is begun, and the one in hand is finished or
    undone in the background; `resume` goes on from there.

    >>> import asyncio, swarmsecrets
    >>> client = swarmsecrets.SimSwarm().async_client()
    >>> async def rotate():
    ...     return await client.rotate("report_password", value=swarmsecrets.Generate(), confirm=True)
    >>> asyncio.run(rotate()).outcome
    'applied'
    """

    __slots__ = ()

    def read_only(self) -> AsyncReadOnlyClient:
        """As `Client.read_only`."""
        return AsyncReadOnlyClient._of(self._session, Given.of())

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
        return _reports(await self._session.retire(False, order(confirm, reason)))

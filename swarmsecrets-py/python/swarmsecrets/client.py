"""The way to a Portainer, and what can be done there.

Everything that changes something needs `confirm=True`, the key holder's word; without it nothing is sent. What is carried out
is kept in a journal, so that `resume` goes on after a crash.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from os import PathLike
from typing import TYPE_CHECKING, Any

from swarmsecrets import _native
from swarmsecrets.inventory import Inventory
from swarmsecrets.plan import Plan
from swarmsecrets.report import Report
from swarmsecrets.request import Limits, Values, handed_over

if TYPE_CHECKING:
    from typing_extensions import Self  # `typing.Self` from Python 3.11 on

Path = str | PathLike[str]
Progress = dict[str, Any]
Observer = Callable[[Progress], object]
"""Is called with what happens, from a thread of Rust's: hand it on (a `queue.Queue`, `loop.call_soon_threadsafe`)."""


def _told(observer: Observer | None) -> Callable[[str], object] | None:
    return None if observer is None else lambda text: observer(json.loads(text))


def _report(text: str) -> Report:
    return Report._of(json.loads(text))


def _reports(text: str) -> list[Report]:
    return [Report._of(one) for one in json.loads(text)]


class _Session:
    """What both kinds of clients are made of."""

    __slots__ = ("_session",)

    def __init__(
        self,
        url: str,
        *,
        api_key: _native.SecretValue | str,
        endpoint: int,
        agent_id: str | None = None,
        ca_file: Path | None = None,
        journal: Path | None = None,
    ) -> None:
        """A client of the environment `endpoint` of the Portainer at `url`. Nothing is sent yet.

        `journal` is the folder for journals and the audit trail; without it, the one of the command.
        """
        key = _native.SecretValue(api_key) if isinstance(api_key, str) else api_key
        self._session = _native.Session.portainer(url, key, endpoint, agent_id, ca_file, journal)

    @classmethod
    def _of(cls, session: _native.Session) -> Self:
        client = cls.__new__(cls)
        client._session = session
        return client


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
        self, names: str | Iterable[str], *, value: Values = None, reason: str | None = None, **limits: Any
    ) -> Plan:
        """Plans a rotation and changes nothing. `limits` are those of `swarmsecrets.request.Limits`."""
        return Plan(self._session.plan(True, Limits(**limits).asked(names, value, reason)))

    def apply(
        self,
        plan: Plan,
        value: Values = None,
        *,
        confirm: bool = False,
        reason: str | None = None,
        observer: Observer | None = None,
    ) -> Report:
        """Carries a plan out. A generated value is made now; one that is handed over is given with `value`."""
        tell = _told(observer)
        return _report(self._session.apply(True, plan._native, handed_over(value), confirm, reason, tell))

    def rotate(
        self,
        names: str | Iterable[str],
        *,
        value: Values,
        confirm: bool = False,
        reason: str | None = None,
        observer: Observer | None = None,
        **limits: Any,
    ) -> Report:
        """Plans and carries out in one."""
        plan = self.plan_rotation(names, value=value, reason=reason, **limits)
        return self.apply(plan, value, confirm=confirm, reason=reason, observer=observer)

    def revoke(self, name: str, *, value: Values, confirm: bool = False, reason: str | None = None, **limits: Any) -> Report:
        """Replaces a value that has leaked, everywhere and at once."""
        return self.rotate(name, value=value, confirm=confirm, reason=reason, strategy="revoke", **limits)

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
        """Goes on with a rotation that was interrupted."""
        tell = _told(observer)
        return _report(self._session.resume(True, id, handed_over(value), accept_inconclusive, confirm, reason, tell))

    def rollback(self, id: str, *, confirm: bool = False, reason: str | None = None) -> Report:
        """Puts a rotation back: every consumer on the version that it had before."""
        return _report(self._session.rollback(True, id, confirm, reason))

    def close(self, id: str, *, reason: str, confirm: bool = False) -> Report:
        """Ends a rotation where it stands, once a person has seen to what it left."""
        return _report(self._session.close(True, id, confirm, reason))

    def retire(self, *, confirm: bool = False, reason: str | None = None) -> list[Report]:
        """Deletes replaced versions whose grace is over and that nothing uses. Reports on all that are kept yet."""
        return _reports(self._session.retire(True, confirm, reason))


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
        self, names: str | Iterable[str], *, value: Values = None, reason: str | None = None, **limits: Any
    ) -> Plan:
        """As `Client.plan_rotation`."""
        return Plan(await self._session.plan(False, Limits(**limits).asked(names, value, reason)))

    async def apply(
        self,
        plan: Plan,
        value: Values = None,
        *,
        confirm: bool = False,
        reason: str | None = None,
        observer: Observer | None = None,
    ) -> Report:
        """As `Client.apply`."""
        tell = _told(observer)
        return _report(await self._session.apply(False, plan._native, handed_over(value), confirm, reason, tell))

    async def rotate(
        self,
        names: str | Iterable[str],
        *,
        value: Values,
        confirm: bool = False,
        reason: str | None = None,
        observer: Observer | None = None,
        **limits: Any,
    ) -> Report:
        """As `Client.rotate`."""
        plan = await self.plan_rotation(names, value=value, reason=reason, **limits)
        return await self.apply(plan, value, confirm=confirm, reason=reason, observer=observer)

    async def revoke(
        self, name: str, *, value: Values, confirm: bool = False, reason: str | None = None, **limits: Any
    ) -> Report:
        """As `Client.revoke`."""
        return await self.rotate(name, value=value, confirm=confirm, reason=reason, strategy="revoke", **limits)

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
        tell = _told(observer)
        values = handed_over(value)
        return _report(await self._session.resume(False, id, values, accept_inconclusive, confirm, reason, tell))

    async def rollback(self, id: str, *, confirm: bool = False, reason: str | None = None) -> Report:
        """As `Client.rollback`."""
        return _report(await self._session.rollback(False, id, confirm, reason))

    async def close(self, id: str, *, reason: str, confirm: bool = False) -> Report:
        """As `Client.close`."""
        return _report(await self._session.close(False, id, confirm, reason))

    async def retire(self, *, confirm: bool = False, reason: str | None = None) -> list[Report]:
        """As `Client.retire`."""
        return _reports(await self._session.retire(False, confirm, reason))

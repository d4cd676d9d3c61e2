"""SimSwarm: a Swarm in memory behind Portainer's rules, in virtual time.

>>> import swarmsecrets
>>> swarm = swarmsecrets.SimSwarm(seed=0)
>>> swarm.client().inventory().simulated
True
"""

from __future__ import annotations

from swarmsecrets import _native
from swarmsecrets.client import AsyncClient, Client
from swarmsecrets.request import Duration, duration


class SimSwarm:
    """The demo world, a shop with two teams. Time passes only while somebody waits on it."""

    __slots__ = ("_native",)

    def __init__(self, seed: int = 0) -> None:
        self._native = _native.SimSwarm(seed)

    def client(self, user: str = "admin", *, agent_id: str | None = None) -> Client:
        """A client of a user there. Clients of one world share its journal."""
        return Client._of(self._native.session(user, agent_id))

    def async_client(self, user: str = "admin", *, agent_id: str | None = None) -> AsyncClient:
        """The same, awaited."""
        return AsyncClient._of(self._native.session(user, agent_id))

    def advance(self, time: Duration) -> None:
        """Lets time pass there."""
        self._native.advance(duration(time))

    @property
    def now(self) -> str:
        """The time there, as ISO 8601."""
        return self._native.now()

    def __repr__(self) -> str:
        return f"<SimSwarm at {self.now}>"

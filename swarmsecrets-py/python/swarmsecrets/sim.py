"""SimSwarm: a Swarm in memory behind Portainer's rules, in virtual time.

>>> import swarmsecrets
>>> swarm = swarmsecrets.SimSwarm(seed=0)
>>> swarm.client().inventory().simulated
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarmsecrets import _native
from swarmsecrets.client import AsyncClient, Client
from swarmsecrets.request import Duration, duration
from swarmsecrets.settings import Given, Settings

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack


class Serving:
    """A simulated Portainer that is served over HTTP, until the block ends:

    >>> import swarmsecrets
    >>> with swarmsecrets.SimSwarm().serve() as served:
    ...     client = swarmsecrets.Client(served.url, api_key=served.api_key, endpoint=1)
    ...     client.inventory().simulated
    True
    """

    __slots__ = ("_native",)

    def __init__(self, native: _native.Serving) -> None:
        self._native = native

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._native.url

    @property
    def api_key(self) -> str:
        """The key that lets one in there, and nowhere else."""
        return self._native.api_key

    def stop(self) -> None:
        """Ends it."""
        self._native.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Serving: {self.url}>"


class SimSwarm:
    """The demo world, a shop with two teams. Time passes only while somebody waits on it."""

    __slots__ = ("_native",)

    def __init__(self, seed: int = 0) -> None:
        self._native = _native.SimSwarm(seed)

    def client(self, user: str = "admin", **settings: Unpack[Settings]) -> Client:
        """A client of a user there. Clients of one world share its journal."""
        given = Given.of(**settings)
        return Client._of(self._native.session(user, given), given)

    def async_client(self, user: str = "admin", **settings: Unpack[Settings]) -> AsyncClient:
        """The same, awaited."""
        given = Given.of(**settings)
        return AsyncClient._of(self._native.session(user, given), given)

    def serve(self, user: str = "admin", *, speed: int = 1) -> Serving:
        """Serves it over HTTP on this machine, with a new key for a user of it. Its time goes with that of the machine, `speed` times
        as fast."""
        return Serving(self._native.serve(user, speed))

    def advance(self, time: Duration) -> None:
        """Lets time pass there."""
        self._native.advance(duration(time))

    @property
    def now(self) -> str:
        """The time there, as ISO 8601."""
        return self._native.now()

    def __repr__(self) -> str:
        return f"<SimSwarm at {self.now}>"

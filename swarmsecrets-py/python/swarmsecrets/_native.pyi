"""The native part, which the other modules dress."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from os import PathLike
from typing import Any, Literal, final, overload

__all__ = ["Generate", "Inventory", "Plan", "SecretValue", "Session", "SimSwarm", "duration"]

@final
class SecretValue:
    """The value of a secret. It never prints, is neither pickled nor copied out, and its memory is overwritten when it goes.

    The string or bytes that it was made from are Python's, and stay in Python's memory until that is used again: read a value
    from a file (`SecretValue.from_file`) where that matters.
    """

    def __new__(cls, value: str | bytes) -> SecretValue: ...
    @staticmethod
    def from_file(path: str | PathLike[str]) -> SecretValue:
        """Reads a value from a file, byte for byte. It does not pass through Python's memory."""
    def expose(self) -> bytes:
        """The bytes. Call it only where the value leaves for the place that it is meant for."""

@final
class Generate:
    """A value that is made at random: how many characters, of which alphabet."""

    def __new__(cls, length: int = 32, alphabet: str = "alnum") -> Generate: ...
    @property
    def length(self) -> int:
        """How many characters."""
    @property
    def alphabet(self) -> str:
        """Of which alphabet."""

@final
class Inventory:
    def to_json(self) -> str: ...
    def draw(self, format: str) -> str: ...

@final
class Plan:
    @staticmethod
    def from_json(text: bytes) -> Plan: ...
    def to_json(self) -> bytes: ...
    @property
    def digest(self) -> str: ...
    def diff(self) -> str: ...

_Given = SecretValue | list[tuple[str, SecretValue]] | None
_Tell = Callable[[str], object] | None

@final
class Session:
    @staticmethod
    def portainer(
        url: str,
        api_key: SecretValue,
        endpoint: int,
        agent_id: str | None,
        ca_file: str | PathLike[str] | None,
        journal: str | PathLike[str] | None,
    ) -> Session: ...
    @overload
    def inventory(self, wait: Literal[True]) -> Inventory: ...
    @overload
    def inventory(self, wait: Literal[False]) -> Awaitable[Inventory]: ...
    @overload
    def plan(self, wait: Literal[True], asked: Any) -> Plan: ...
    @overload
    def plan(self, wait: Literal[False], asked: Any) -> Awaitable[Plan]: ...
    @overload
    def apply(
        self, wait: Literal[True], plan: Plan, values: _Given, confirm: bool, reason: str | None, tell: _Tell
    ) -> str: ...
    @overload
    def apply(
        self, wait: Literal[False], plan: Plan, values: _Given, confirm: bool, reason: str | None, tell: _Tell
    ) -> Awaitable[str]: ...
    @overload
    def resume(
        self, wait: Literal[True], id: str, values: _Given, accept: bool, confirm: bool, reason: str | None, tell: _Tell
    ) -> str: ...
    @overload
    def resume(
        self, wait: Literal[False], id: str, values: _Given, accept: bool, confirm: bool, reason: str | None, tell: _Tell
    ) -> Awaitable[str]: ...
    @overload
    def rollback(self, wait: Literal[True], id: str, confirm: bool, reason: str | None) -> str: ...
    @overload
    def rollback(self, wait: Literal[False], id: str, confirm: bool, reason: str | None) -> Awaitable[str]: ...
    @overload
    def close(self, wait: Literal[True], id: str, confirm: bool, reason: str) -> str: ...
    @overload
    def close(self, wait: Literal[False], id: str, confirm: bool, reason: str) -> Awaitable[str]: ...
    @overload
    def retire(self, wait: Literal[True], confirm: bool, reason: str | None) -> str: ...
    @overload
    def retire(self, wait: Literal[False], confirm: bool, reason: str | None) -> Awaitable[str]: ...

@final
class SimSwarm:
    def __new__(cls, seed: int) -> SimSwarm: ...
    def session(self, user: str, agent_id: str | None) -> Session: ...
    def advance(self, time: timedelta) -> None: ...
    def now(self) -> str: ...

def duration(text: str) -> timedelta: ...

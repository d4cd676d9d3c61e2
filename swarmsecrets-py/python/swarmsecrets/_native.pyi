"""The native part, which the other modules dress."""

from collections.abc import Awaitable, Sequence
from datetime import timedelta
from os import PathLike
from typing import Any, Literal, final, overload

__all__ = [
    "Cancellation",
    "ChangeRequest",
    "Containers",
    "Decision",
    "Generate",
    "Inventory",
    "Password",
    "Plan",
    "Policy",
    "Probe",
    "Reading",
    "Request",
    "SecretValue",
    "Serving",
    "Session",
    "SimSwarm",
    "Source",
    "check_approver",
    "check_audit_sink",
    "check_credential_setter",
    "check_health_probe",
    "check_secret_source",
    "check_transport",
    "duration",
    "keygen",
    "query_audit",
    "sign_audit",
    "sign",
    "verify_audit",
]

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
    @staticmethod
    def forbid_expose() -> None:
        """From now on, no value comes back to Python in this process, and nothing takes that back: for a program that lets an agent
        run code. Setters and transports of Python's need values, and do not work then."""

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

@final
class ChangeRequest:
    @staticmethod
    def from_json(text: bytes) -> ChangeRequest: ...
    def to_json(self) -> bytes: ...
    @property
    def digest(self) -> str: ...
    def text(self) -> str: ...
    def plan(self) -> Plan: ...

@final
class Decision:
    @staticmethod
    def from_json(text: bytes) -> Decision: ...
    def to_json(self) -> bytes: ...
    def put(self, folder: str | PathLike[str]) -> None: ...

@final
class Policy:
    @staticmethod
    def read(path: str | PathLike[str]) -> Policy: ...
    @staticmethod
    def parse(name: str, text: str) -> Policy: ...
    @staticmethod
    def schema() -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def text(self) -> str: ...
    def summary(self) -> str: ...
    def judge(self, inventory: Inventory, asked: Any, agent: str | None) -> str: ...

@final
class Cancellation:
    """Asks what is under way to stop: no further consumer is begun, and the one in hand is finished or undone."""

    def __new__(cls) -> Cancellation: ...
    def cancel(self) -> None:
        """Asks. Does nothing when all is done."""
    @property
    def cancelled(self) -> bool:
        """Whether it was asked."""

@final
class Probe:
    def __new__(cls, settings: str) -> Probe: ...

@final
class Source:
    def __new__(cls, settings: str) -> Source: ...

@final
class Password:
    def __new__(
        cls, settings: str, administrator_password: SecretValue | None, current: SecretValue | None
    ) -> Password: ...

@final
class Containers:
    """Runs commands in the containers of tasks, while a probe is asked."""

    def run(self, task: str, command: list[str], deadline: timedelta) -> int:
        """Runs a command (a program and its arguments, no shell) in the container of a task, waits for its end, and gives its exit
        code. What it prints is not asked for: it may hold a value."""

@final
class Request:
    """What is to be sent."""

    @property
    def method(self) -> str:
        """`GET`, `POST`, `PUT` or `DELETE`."""
    @property
    def path(self) -> str:
        """The path from the server's root, as `/api/…`, encoded."""
    @property
    def query(self) -> list[tuple[str, str]]:
        """The query, not yet encoded."""
    @property
    def headers(self) -> dict[str, str]:
        """The headers that it needs beside the credential."""
    @property
    def what(self) -> str:
        """What it does, for messages."""
    def body(self) -> bytes | None:
        """The JSON body, which may hold a value: send it, and print nothing of it."""

_Given = SecretValue | list[tuple[str, SecretValue]] | None

@final
class Reading:
    @overload
    def inventory(self, wait: Literal[True]) -> Inventory: ...
    @overload
    def inventory(self, wait: Literal[False]) -> Awaitable[Inventory]: ...
    @overload
    def plan(self, wait: Literal[True], asked: Any) -> Plan: ...
    @overload
    def plan(self, wait: Literal[False], asked: Any) -> Awaitable[Plan]: ...
    @overload
    def plan_create(self, wait: Literal[True], asked: Any) -> Plan: ...
    @overload
    def plan_create(self, wait: Literal[False], asked: Any) -> Awaitable[Plan]: ...
    @overload
    def due(self, wait: Literal[True]) -> str: ...
    @overload
    def due(self, wait: Literal[False]) -> Awaitable[str]: ...
    @overload
    def explain(self, wait: Literal[True], asked: Any) -> str: ...
    @overload
    def explain(self, wait: Literal[False], asked: Any) -> Awaitable[str]: ...
    @overload
    def request_change(
        self, wait: Literal[True], plan: Plan, values: _Given, reason: str | None
    ) -> ChangeRequest: ...
    @overload
    def request_change(
        self, wait: Literal[False], plan: Plan, values: _Given, reason: str | None
    ) -> Awaitable[ChangeRequest]: ...
    @overload
    def unfinished(self, wait: Literal[True]) -> str: ...
    @overload
    def unfinished(self, wait: Literal[False]) -> Awaitable[str]: ...

@final
class Session:
    @staticmethod
    def portainer(
        url: str, api_key: SecretValue, endpoint: int, ca_file: str | PathLike[str] | None, given: Any
    ) -> Session: ...
    @staticmethod
    def over(transport: Any, endpoint: int, given: Any) -> Session: ...
    @staticmethod
    def connect(address: str, token: SecretValue) -> Session: ...
    def read_only(self) -> Reading: ...
    @overload
    def apply(self, wait: Literal[True], order: Any, plan: Plan, values: _Given, approval: Any) -> str: ...
    @overload
    def apply(self, wait: Literal[False], order: Any, plan: Plan, values: _Given, approval: Any) -> Awaitable[str]: ...
    @overload
    def resume(self, wait: Literal[True], order: Any, id: str, values: _Given) -> str: ...
    @overload
    def resume(self, wait: Literal[False], order: Any, id: str, values: _Given) -> Awaitable[str]: ...
    @overload
    def rollback(self, wait: Literal[True], order: Any, id: str) -> str: ...
    @overload
    def rollback(self, wait: Literal[False], order: Any, id: str) -> Awaitable[str]: ...
    @overload
    def close(self, wait: Literal[True], order: Any, id: str) -> str: ...
    @overload
    def close(self, wait: Literal[False], order: Any, id: str) -> Awaitable[str]: ...
    @overload
    def retire(self, wait: Literal[True], order: Any) -> str: ...
    @overload
    def retire(self, wait: Literal[False], order: Any) -> Awaitable[str]: ...

@final
class Serving:
    @property
    def url(self) -> str: ...
    @property
    def api_key(self) -> str: ...
    def stop(self) -> None: ...

@final
class SimSwarm:
    def __new__(cls, seed: int) -> SimSwarm: ...
    def session(self, user: str, given: Any) -> Session: ...
    def serve(self, user: str, speed: int) -> Serving: ...
    def advance(self, time: timedelta) -> None: ...
    def now(self) -> str: ...

def duration(text: str) -> timedelta: ...
def keygen(path: str | PathLike[str]) -> str: ...
def sign(
    request: ChangeRequest, verdict: str, identity: str, comment: str | None, key: SecretValue
) -> Decision: ...
def check_approver(stage: Any) -> None: ...
def check_audit_sink(stage: Any) -> None: ...
def check_credential_setter(stage: Any) -> None: ...
def check_health_probe(stage: Any) -> None: ...
def check_secret_source(stage: Any) -> None: ...
def check_transport(stage: Any) -> None: ...
def query_audit(path: str | PathLike[str], asked: Any) -> str: ...
def sign_audit(path: str | PathLike[str], key: str | PathLike[str], out: str | PathLike[str]) -> str: ...
def verify_audit(path: str | PathLike[str], checkpoints: Sequence[str | PathLike[str]], key: str | None) -> str: ...

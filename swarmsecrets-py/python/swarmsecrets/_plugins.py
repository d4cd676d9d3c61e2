"""Adapters between plugins and Rust: what is to be awaited is awaited, and what is no answer is said."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import json
import logging
import threading
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any, cast

from swarmsecrets import _documents, _native, errors
from swarmsecrets.approval import ChangeRequest, Decision, ReadBack
from swarmsecrets.audit import AuditRecord, _written
from swarmsecrets.credentials import Account
from swarmsecrets.health import Health, Target
from swarmsecrets.transport import SIMULATED_HEADER, Response

log = logging.getLogger("swarmsecrets.plugins")

_loop: asyncio.AbstractEventLoop | None = None
_making = threading.Lock()


def _own_loop() -> asyncio.AbstractEventLoop:
    """The event loop of plugins' coroutines, in a thread of its own: it goes on while a client blocks another one."""
    global _loop
    with _making:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="swarmsecrets-plugins", daemon=True).start()
        return _loop


class Adapter:
    """What all adapters have in common."""

    kind = "plugin"
    methods: tuple[str, ...] = ()

    def __init__(self, plugin: Any, timeout: timedelta, failures: list[errors.Error] | None = None) -> None:
        name = type(plugin).__name__
        missing = [method for method in self.methods if not callable(getattr(plugin, method, None))]
        if missing:
            raise errors.InvalidError(f"{name} is no {self.kind}: it has no `{missing[0]}`")
        self.plugin = plugin
        self.timeout = timeout
        self.failures = [] if failures is None else failures
        self.what = f"the {self.kind} {name}"
        self.told = self.introduced()

    def introduced(self) -> str:
        """What it says of itself once and for all."""
        return ""

    def named(self) -> str:
        """The name that it gives itself."""
        name = getattr(self.plugin, "name", None)
        if not isinstance(name, str) or not 0 < len(name) <= 300 or not name.isprintable():
            raise errors.InvalidError(f"{self.what} has no `name`: it must be a line of at most 300 characters")
        return name

    def ask(self, method: str, *arguments: Any) -> Any:
        """The answer of a method, awaited where it must be."""
        return self.guarded(method, lambda: getattr(self.plugin, method)(*arguments))

    def guarded(self, method: str, work: Callable[[], Any]) -> Any:
        """What the plugin gives, or an error that says which one has failed, and where."""
        try:
            answer = work()
            return self.awaited(method, answer) if inspect.isawaitable(answer) else answer
        except errors.Error as error:
            raise self.noted(errors.raised(error.kind, f"{self.what}: {error}", []), error) from error
        except Exception as error:
            raise self.failed(method, error) from error

    def awaited(self, method: str, answer: Awaitable[Any]) -> Any:
        async def whole() -> Any:
            return await answer

        future = asyncio.run_coroutine_threadsafe(whole(), _own_loop())
        try:
            return future.result(self.timeout.total_seconds())
        except (TimeoutError, concurrent.futures.TimeoutError):
            # One that the plugin itself has raised is its failure.
            if future.done():
                raise
            future.cancel()
            raise errors.TimeoutError(f"no answer to `{method}` within {self.timeout}") from None

    def failed(self, method: str, error: Exception) -> errors.Error:
        """The words of the exception may hold a value: they stand in its cause, and nowhere else."""
        log.debug("%s failed in `%s`", self.what, method, exc_info=error)
        return self.noted(errors.ProtocolError(f"{self.what} failed in `{method}` with {type(error).__name__}"), error)

    def noted(self, failure: errors.Error, cause: Exception | None = None) -> errors.Error:
        """The failure, which a report will tell: where the rotation goes on without an answer, nobody raises it."""
        failure.__cause__ = cause
        self.failures.append(failure)
        return failure

    def expected(self, method: str, expected: str, answer: Any) -> errors.Error:
        given = type(answer).__name__
        return self.noted(errors.ProtocolError(f"{self.what} answered `{method}` with {given}: expected {expected}"))


class HealthProbeAdapter(Adapter):
    kind = "health probe"
    methods = ("baseline", "check")

    def introduced(self) -> str:
        return self.named()

    def baseline(self, told: str, containers: _native.Containers) -> str:
        seen = self.ask("baseline", _documents.read(Target, json.loads(told)), containers)
        try:
            return json.dumps(seen)
        except (TypeError, ValueError):
            raise self.expected("baseline", "what JSON can hold", seen) from None

    def check(self, told: str, containers: _native.Containers) -> str:
        document = json.loads(told)
        health = self.ask("check", _documents.read(Target, document), json.loads(document["baseline"]), containers)
        if not isinstance(health, Health):
            raise self.expected("check", "a swarmsecrets.health.Health", health)
        return json.dumps({"health": health.status, "reason": health.reason})


class CredentialSetterAdapter(Adapter):
    kind = "credential setter"
    methods = ("account", "next_value", "set", "verify", "revoke", "undo")

    def introduced(self) -> str:
        account = self.plugin.account()
        if not isinstance(account, Account):
            raise self.expected("account", "a swarmsecrets.credentials.Account", account)
        return json.dumps({"system": account.system, "user": account.user, "way": account.way})

    def next_value(self, current: _native.SecretValue, password: _native.SecretValue) -> _native.SecretValue:
        value = self.ask("next_value", current, password)
        if not isinstance(value, _native.SecretValue):
            raise self.expected("next_value", "a swarmsecrets.SecretValue", value)
        return value

    def verify(self, value: _native.SecretValue) -> bool:
        works = self.ask("verify", value)
        if not isinstance(works, bool):
            raise self.expected("verify", "a bool", works)
        return works

    def set(self, rotation: str, current: _native.SecretValue, next: _native.SecretValue) -> None:
        self.ask("set", rotation, current, next)

    def revoke(self, rotation: str, old: _native.SecretValue) -> None:
        self.ask("revoke", rotation, old)

    def undo(self, rotation: str, current: _native.SecretValue) -> None:
        self.ask("undo", rotation, current)


class SecretSourceAdapter(Adapter):
    kind = "secret source"
    methods = ("current", "fetch")

    def introduced(self) -> str:
        return self.named()

    def current(self, reference: str) -> str:
        version = self.ask("current", reference)
        if not isinstance(version, str):
            raise self.expected("current", "a str", version)
        return version

    def fetch(self, reference: str, version: str) -> _native.SecretValue:
        value = self.ask("fetch", reference, version)
        if not isinstance(value, _native.SecretValue):
            raise self.expected("fetch", "a swarmsecrets.SecretValue", value)
        return value


class ApproverAdapter(Adapter):
    kind = "approver"
    methods = ("request", "decisions")

    def introduced(self) -> str:
        return self.named()

    def request(self, request: _native.ChangeRequest) -> None:
        self.ask("request", ChangeRequest(request))

    def decisions(self, request: _native.ChangeRequest) -> str:
        given = self.ask("decisions", ChangeRequest(request))
        if not isinstance(given, Iterable):
            raise self.expected("decisions", "decisions in a list", given)
        several = cast("Iterable[object]", given)
        # A generator runs here, and may fail here.
        listed: list[object] = self.guarded("decisions", lambda: list(several))
        return json.dumps([self.written(one) for one in listed])

    def written(self, one: object) -> dict[str, Any]:
        if isinstance(one, Decision):
            return {"signed": one.to_json()}
        if not isinstance(one, ReadBack):
            raise self.expected("decisions", "swarmsecrets.approval.Decision or ReadBack", one)
        try:
            at = _written("at", one.at)
        except errors.Error as error:
            raise self.noted(errors.raised(error.kind, f"{self.what}: {error}", []), error) from error
        fields: dict[str, object] = {"request": one.request, "verdict": one.verdict, "account": one.account, "reference": one.reference}
        wrong = [name for name, value in fields.items() if not isinstance(value, str)]
        if wrong:
            raise self.expected("decisions", f"text as `{wrong[0]}`", fields[wrong[0]])
        return {"read_back": {**fields, "at": at}}


class AuditSinkAdapter(Adapter):
    kind = "audit sink"
    methods = ("append",)

    def append(self, text: str) -> None:
        self.ask("append", AuditRecord.of(json.loads(text)))


Pieces = Iterator[bytes] | AsyncIterator[bytes]


class TransportAdapter(Adapter):
    kind = "transport"
    methods = ("send",)

    def answer(self, request: _native.Request) -> tuple[int, bool, Response]:
        response = self.ask("send", request)
        if not isinstance(response, Response):
            raise self.expected("send", "a swarmsecrets.transport.Response", response)
        simulated = any(name.lower() == SIMULATED_HEADER for name in response.headers)
        return response.status, simulated, response

    def send(self, request: _native.Request) -> tuple[int, bool, bytes]:
        status, simulated, response = self.answer(request)
        if isinstance(response.body, bytes):
            return status, simulated, response.body
        pieces = self.pieces(response)
        return status, simulated, b"".join(iter(lambda: self.next(pieces), None))

    def open(self, request: _native.Request) -> tuple[int, bool, Pieces]:
        status, simulated, response = self.answer(request)
        return status, simulated, self.pieces(response)

    def pieces(self, response: Response) -> Pieces:
        body = response.body
        if isinstance(body, bytes):
            return iter((body,))
        return aiter(body) if isinstance(body, AsyncIterable) else iter(body)

    def next(self, pieces: Pieces) -> bytes | None:
        """The next piece of a body, or None at its end."""
        ended = object()
        piece = self.guarded(
            "send", lambda: next(pieces, ended) if isinstance(pieces, Iterator) else anext(pieces, ended)
        )
        if piece is ended:
            return None
        if not isinstance(piece, bytes):
            raise self.expected("send", "bytes in the body", piece)
        return piece

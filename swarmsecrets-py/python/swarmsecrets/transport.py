"""Transports: how requests reach Portainer, where it should not be swarmsecrets' own way."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from swarmsecrets._native import Request

__all__ = ["SIMULATED_HEADER", "Request", "Response", "Transport"]

SIMULATED_HEADER = "x-swarmsecrets-simulated"
"""The header that a simulation puts on every answer."""


@dataclass(frozen=True)
class Response:
    """An answer, good or bad. Its body is whole, or comes in pieces."""

    status: int
    body: bytes | Iterable[bytes] | AsyncIterable[bytes] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class Transport(Protocol):
    """The way to one Portainer, with the credential that it needs."""

    def send(self, request: Request) -> Response | Awaitable[Response]:
        """Sends a request, once, and gives the answer whatever its status. A request other than a `GET` is a mutation: never send it
        again. Raise `UnreachableError` if nothing was sent, `TimeoutError` if no answer came, and put no body into a message."""
        ...

"""How something is to be carried out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from swarmsecrets._native import Cancellation
from swarmsecrets.progress import Observer, Progress


@dataclass(frozen=True)
class Order:
    """How something is to be carried out, as Rust reads it."""

    confirm: bool
    reason: str | None
    tell: Callable[[str], object] | None
    cancellation: Cancellation
    accept_inconclusive: bool = False


def order(
    confirm: bool,
    reason: str | None,
    observer: Observer | None = None,
    cancellation: Cancellation | None = None,
    accept_inconclusive: bool = False,
) -> Order:
    def tell(text: str) -> None:
        if observer is not None:
            observer(Progress(**json.loads(text)))

    told = None if observer is None else tell
    return Order(confirm, reason, told, cancellation or Cancellation(), accept_inconclusive)

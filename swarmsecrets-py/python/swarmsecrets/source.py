"""Sources of values: vaults, and whatever else keeps secrets in versions.

A source is any object with a `name`, `current` and `fetch`; `folder` makes one of files. A client is given those that it may
fetch from, and a rotation says where its value stands:

>>> import swarmsecrets
>>> from swarmsecrets.source import FromSource
>>> class Vault:
...     name = "vault"
...     def current(self, reference):
...         return "7"
...     def fetch(self, reference, version):
...         return swarmsecrets.SecretValue("made up")
>>> client = swarmsecrets.SimSwarm().client(sources=[Vault()])
>>> plan = client.plan_rotation("report_password", value=FromSource("vault", "kv/reports"))
>>> plan.to_dict()["secrets"][0]["recipe"]
{'source': {'source': 'vault', 'reference': 'kv/reports', 'version': '7'}}
>>> client.apply(plan, confirm=True).outcome
'applied'
"""

from __future__ import annotations

import json
from collections.abc import Awaitable
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Protocol

from swarmsecrets import _native


@dataclass(frozen=True)
class FromSource:
    """The value that stands at a reference of a source when the plan is made. The plan pins its version: what stands there later
    is not taken."""

    source: str
    reference: str


class SecretSource(Protocol):
    """Keeps values in versions: what is read of one version now is read of it ever after, or not at all. Both methods may be
    coroutines."""

    @property
    def name(self) -> str:
        """What plans call it, such as `vault`: without a colon."""
        ...

    def current(self, reference: str) -> str | Awaitable[str]:
        """The version that stands there now. Raises `NotFoundError` if nothing does."""
        ...

    def fetch(self, reference: str, version: str) -> _native.SecretValue | Awaitable[_native.SecretValue]:
        """The value of exactly this version. Raises `NotFoundError` if it is not kept any more."""
        ...


Source = SecretSource | _native.Source


def folder(name: str, path: str | PathLike[str]) -> _native.Source:
    """A folder of files that each hold a value, to the last byte. A reference is a path in it."""
    return _native.Source(json.dumps({"name": name, "kind": "folder", "folder": fspath(path)}))

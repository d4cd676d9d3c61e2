"""Plugins that other packages offer, by entry points of the group `swarmsecrets.plugins`.

In the other package's `pyproject.toml`:

    [project.entry-points."swarmsecrets.plugins"]
    oracle = "oracle_setter:OracleSetter"

>>> from swarmsecrets import plugins
>>> sorted(plugins.offered())
[]
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from swarmsecrets.errors import NotFoundError

GROUP = "swarmsecrets.plugins"


def offered() -> dict[str, EntryPoint]:
    """The plugins that installed packages offer, by name. Nothing of them is imported yet."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def load(name: str) -> Any:
    """Imports what stands behind a name: a class or a function that makes the plugin.

    Raises `NotFoundError` if no installed package offers it.
    """
    entry = offered().get(name)
    if entry is None:
        known = ", ".join(sorted(offered())) or "none"
        raise NotFoundError(f"no installed package offers the plugin `{name}`: there are {known}")
    return entry.load()

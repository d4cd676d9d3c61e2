"""What the tests share."""

import base64
import gc
import os
import secrets
import sys
from collections.abc import Callable

import pytest

import swarmsecrets


@pytest.fixture
def swarm() -> swarmsecrets.SimSwarm:
    return swarmsecrets.SimSwarm()


@pytest.fixture
def client(swarm: swarmsecrets.SimSwarm) -> swarmsecrets.Client:
    return swarm.client(agent_id="agent-7")


@pytest.fixture
def made_up() -> str:
    """A value that is made up for one test. The leak scan looks for it in what the tests print."""
    value = f"made-up-{secrets.token_hex(12)}"
    if recorded := os.environ.get("SWARMSECRETS_TEST_VALUES"):
        with open(recorded, "a") as file:
            file.write(base64.b64encode(value.encode()).decode() + "\n")
    return value


def walked(root: object, depth: int = 4) -> str:
    """Everything that can be reached from an object by attributes and by the garbage collector, as text."""
    seen: set[int] = set()
    texts: list[str] = []
    todo = [(root, 0)]
    while todo:
        one, level = todo.pop()
        if id(one) in seen or level > depth or isinstance(one, type(sys)):
            continue
        seen.add(id(one))
        if isinstance(one, str | bytes | bytearray):
            texts.append(repr(one))
            continue
        members = [getattr(one, name, None) for name in dir(one) if not name.startswith("__") and name != "expose"]
        todo += [(other, level + 1) for other in [*members, *gc.get_referents(one)] if other is not None]
    return "\n".join(texts)


@pytest.fixture
def walk() -> Callable[[object], str]:
    """Walks from an object, for what it may not lead to."""
    return walked

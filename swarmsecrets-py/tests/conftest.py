"""What the tests share."""

import base64
import os
import secrets

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

"""What the tests on the real Engine share."""

from collections.abc import Iterator

import pytest
from scene import Scene


@pytest.fixture
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    scene = Scene(request.node.name.removeprefix("test_").split("_")[0])
    yield scene
    scene.clear()

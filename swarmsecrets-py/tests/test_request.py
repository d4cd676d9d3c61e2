"""What is asked for."""

from datetime import timedelta

import pytest

from swarmsecrets.errors import InvalidError
from swarmsecrets.request import duration


@pytest.mark.parametrize(
    ("text", "time"),
    [("0s", timedelta()), ("90s", timedelta(seconds=90)), ("1h30m", timedelta(minutes=90)), ("7d", timedelta(days=7))],
)
def test_durations_are_read(text: str, time: timedelta) -> None:
    assert duration(text) == time == duration(time)


@pytest.mark.parametrize("bad", ["", "h", "5", "5 m", "-5m", "5y", "1h1h", "5s1h"])
def test_what_is_no_duration_is_refused(bad: str) -> None:
    with pytest.raises(InvalidError, match="is no duration"):
        duration(bad)

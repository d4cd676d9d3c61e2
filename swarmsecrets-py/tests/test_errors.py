"""Errors."""

import pytest

import swarmsecrets
from swarmsecrets import errors


def test_each_kind_has_its_class_and_its_causes() -> None:
    error = errors.raised("stale", "the world has moved", ["because", "of that"])
    assert isinstance(error, errors.StaleError) and error.kind == "stale"
    assert str(error.__cause__) == "because" and str(error.__cause__.__cause__) == "of that"


def test_a_secret_that_is_not_there_is_a_not_found_error(client: swarmsecrets.Client) -> None:
    with pytest.raises(errors.NotFoundError):
        client.plan_rotation("no_such_secret", value=swarmsecrets.Generate())


def test_an_option_that_is_not_known_is_a_type_error(client: swarmsecrets.Client) -> None:
    with pytest.raises(TypeError, match="gracee"):
        client.plan_rotation("report_password", gracee="1h")


def test_a_class_of_a_plugins_own_takes_nobodys_place() -> None:
    class Mine(errors.RefusedError):
        def __init__(self, code: int) -> None:
            super().__init__(f"refused with {code}")

    assert type(errors.raised("refused", "no", [])) is errors.RefusedError
    assert str(Mine(7)) == "refused with 7"

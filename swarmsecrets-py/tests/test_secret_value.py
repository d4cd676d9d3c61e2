"""A value is handed over, and does not come back by accident (CASES 4 and 5)."""

import copy
import gc
import pickle

import pytest

import swarmsecrets


def test_it_never_prints(made_up: str) -> None:
    value = swarmsecrets.SecretValue(made_up)
    for text in (repr(value), str(value), f"{value}", f"{value!r}", "%s" % value, str([value]), str({"value": value})):
        assert made_up not in text
        assert "REDACTED" in text


def test_it_is_neither_pickled_nor_copied(made_up: str) -> None:
    value = swarmsecrets.SecretValue(made_up)
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError) as caught:
            attempt(value)
        assert made_up not in str(caught.value)


def test_no_attribute_holds_it(made_up: str) -> None:
    value = swarmsecrets.SecretValue(made_up)
    seen = [getattr(value, name) for name in dir(value) if name != "expose"]
    assert made_up not in repr(seen)
    assert not gc.get_referents(value) or made_up not in repr(gc.get_referents(value))
    with pytest.raises(TypeError):
        vars(value)
    with pytest.raises(AttributeError):
        value.value = "another"  # type: ignore[attr-defined]


def test_it_is_exposed_where_that_is_asked_for(made_up: str) -> None:
    assert swarmsecrets.SecretValue(made_up).expose() == made_up.encode()
    assert swarmsecrets.SecretValue(made_up.encode()).expose() == made_up.encode()


def test_a_file_is_taken_byte_for_byte(made_up: str, tmp_path) -> None:
    path = tmp_path / "value"
    path.write_bytes(made_up.encode() + b"\n")
    assert swarmsecrets.SecretValue.from_file(path).expose() == made_up.encode() + b"\n"


@pytest.mark.parametrize(
    ("bad", "error"),
    [("", "invalid"), (b"", "invalid"), (b"x" * 512_000, "too_large")],
)
def test_what_swarm_does_not_take_is_refused(bad: str | bytes, error: str) -> None:
    with pytest.raises(swarmsecrets.Error) as caught:
        swarmsecrets.SecretValue(bad)
    assert caught.value.kind == error


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="a value is str or bytes"):
        swarmsecrets.SecretValue(7)  # type: ignore[arg-type]

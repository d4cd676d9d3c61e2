"""What a generated value is to be like."""

import pytest

import swarmsecrets


def test_it_says_what_is_made() -> None:
    spec = swarmsecrets.Generate(length=40, alphabet="hex")
    assert (spec.length, spec.alphabet) == (40, "hex")
    assert repr(spec) == "Generate(length=40, alphabet='hex')"
    assert spec == swarmsecrets.Generate(40, "hex") != swarmsecrets.Generate()


@pytest.mark.parametrize(("length", "alphabet"), [(0, "hex"), (512_000, "hex"), (8, "no such one")])
def test_what_cannot_be_made_is_refused(length: int, alphabet: str) -> None:
    with pytest.raises(swarmsecrets.Error) as caught:
        swarmsecrets.Generate(length, alphabet)
    assert caught.value.kind == "invalid"

"""What policies ask of values: what was there before, and lists of words."""

import pathlib

import pytest

import swarmsecrets
from swarmsecrets import errors

GENERATE = swarmsecrets.Generate()
KEY = swarmsecrets.SecretValue("made-up-key-of-fingerprints")
LABEL = "io.swarmsecrets.fingerprint"


def policy(state: pathlib.Path, values: str) -> swarmsecrets.Policy:
    return swarmsecrets.Policy.parse(f'schema = 1\nphase = "automated"\nstate = "{state}"\n[[values]]\n{values}\n')


def test_a_value_of_before_does_not_come_back(swarm: swarmsecrets.SimSwarm, tmp_path: pathlib.Path, made_up: str) -> None:
    history, value = policy(tmp_path / "state", "history = 3"), swarmsecrets.SecretValue(made_up)
    with pytest.raises(errors.DeniedError, match="hand it over as `fingerprint_key`"):
        swarm.client(policy=history).rotate("report_password", value=value, confirm=True)
    client = swarm.client(policy=history, fingerprint_key=KEY)
    assert client.explain("report_password").values == ("new values: none of the last 3",)
    for given in (value, GENERATE):
        assert client.rotate("report_password", value=given, grace="0s", confirm=True).outcome == "applied"
    again = swarm.client(policy=history, fingerprint_key=KEY)
    with pytest.raises(errors.DeniedError, match="is one of the last 3 that it had: take another") as caught:
        again.rotate("report_password", value=value, confirm=True)
    assert made_up not in str(caught.value)
    kept = "".join(file.read_text() for file in (tmp_path / "state").rglob("*.json"))
    assert "hmac-sha256:" in kept and made_up not in kept


async def test_versions_carry_a_fingerprint_where_there_is_a_key(swarm: swarmsecrets.SimSwarm, made_up: str) -> None:
    value = swarmsecrets.SecretValue(made_up)
    client = swarm.async_client(fingerprint_key=KEY)
    await client.create("new_key", value=value, confirm=True)
    assert (await client.rotate("report_password", value=value, confirm=True)).outcome == "applied"
    await swarm.async_client().create("other_key", value=value, confirm=True)
    inventory = await client.inventory()
    labels = {name: inventory.secret(name).versions[-1].labels for name in ("new_key", "report_password", "other_key")}
    assert labels["new_key"][LABEL] == labels["report_password"][LABEL]
    assert labels["new_key"][LABEL].startswith("hmac-sha256:") and LABEL not in labels["other_key"]
    with pytest.raises(errors.DeniedError, match="is what `new_key` holds already"):
        await client.rotate("new_key", value=value, confirm=True)


def test_a_word_of_a_list_is_refused(swarm: swarmsecrets.SimSwarm, tmp_path: pathlib.Path, made_up: str) -> None:
    words = tmp_path / "words.txt"
    listed = policy(tmp_path / "state", f'dictionary = "{words}"\nforbid_names = true')
    with pytest.raises(errors.SettingsError, match=r"words\.txt"):
        swarm.client(policy=listed)
    words.write_text(f"{made_up.upper()}\n")
    client = swarm.client(policy=listed)
    for value, why in ((made_up, "is one of the words in"), ("my-report_password!", "holds the name of the secret")):
        with pytest.raises(errors.DeniedError, match=why) as caught:
            client.rotate("report_password", value=swarmsecrets.SecretValue(value), confirm=True)
        assert value not in str(caught.value)
    assert client.rotate("report_password", value=GENERATE, confirm=True).outcome == "applied"

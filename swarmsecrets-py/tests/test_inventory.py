"""The usage graph."""

import pytest

import swarmsecrets
from swarmsecrets.errors import NotFoundError


def test_it_shows_what_the_command_shows(client: swarmsecrets.Client) -> None:
    inventory = client.inventory()
    document = inventory.to_dict()
    assert (document["schema"], document["simulated"], inventory.simulated) == (1, True, True)
    assert [secret.name for secret in inventory.secrets] == [secret["name"] for secret in document["secrets"]]
    assert [service.name for service in inventory.services] == [service["name"] for service in document["services"]]
    secret = inventory.secret("report_password")
    assert secret.current == secret.versions[-1].name
    assert {consumer.service for consumer in secret.consumers} <= {service.name for service in inventory.services}
    assert repr(inventory).startswith("<Inventory: ")


def test_a_secret_that_is_not_there_is_said(client: swarmsecrets.Client) -> None:
    with pytest.raises(NotFoundError, match="no secret `nothing`"):
        client.inventory().secret("nothing")


def test_it_cannot_be_changed(client: swarmsecrets.Client) -> None:
    secret = client.inventory().secrets[0]
    with pytest.raises(AttributeError):
        secret.name = "another"  # type: ignore[misc]


def test_it_is_drawn(client: swarmsecrets.Client) -> None:
    inventory = client.inventory()
    assert inventory._repr_html_().lstrip().startswith("<svg")
    assert "report_password" in inventory.draw("mermaid")
    with pytest.raises(swarmsecrets.Error, match="none of svg, mermaid and dot"):
        inventory.draw("png")

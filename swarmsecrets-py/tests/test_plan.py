"""Plans."""

import pickle

import pytest

import swarmsecrets
from swarmsecrets.errors import InvalidError


def test_it_changes_nothing_and_says_what_would(client: swarmsecrets.Client) -> None:
    before = client.inventory().to_dict()["secrets"]
    plan = client.plan_rotation("report_password", value=swarmsecrets.Generate(length=40), grace="0s")
    assert client.inventory().to_dict()["secrets"] == before
    assert "report_password" in plan.diff()
    assert [step.kind for step in plan.steps][0] == "create_version"
    assert plan.digest == plan.to_dict()["digest"]
    assert "<pre>" in plan._repr_html_()


def test_a_plan_is_pickled_and_one_that_was_changed_is_refused(client: swarmsecrets.Client) -> None:
    plan = client.plan_rotation("report_password", value=swarmsecrets.Generate())
    again = pickle.loads(pickle.dumps(plan))
    assert again == plan and hash(again) == hash(plan)
    with pytest.raises(InvalidError):
        swarmsecrets.Plan.from_json(plan.to_json().replace("`reports`", "`another`"))


def test_a_plan_that_the_world_has_overtaken_is_stale(client: swarmsecrets.Client) -> None:
    plan = client.plan_rotation("report_password", value=swarmsecrets.Generate())
    client.apply(plan, confirm=True)
    with pytest.raises(swarmsecrets.Error) as caught:
        client.apply(plan, confirm=True)
    assert caught.value.kind in ("stale", "conflict")

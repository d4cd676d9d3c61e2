"""What must not succeed: reaching a value (CASES 4), or skipping a step (CASES 5)."""

import json
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable

import pytest

import swarmsecrets
from swarmsecrets import errors


def test_no_walk_from_a_client_or_a_report_reaches_a_value(
    swarm: swarmsecrets.SimSwarm, made_up: str, walk: Callable[[object], str]
) -> None:
    client = swarm.client()
    values = {"report_password": swarmsecrets.SecretValue(made_up)}
    plan = client.plan_rotation("report_password", value=values)
    report = client.apply(plan, values, confirm=True)
    for root in (client, plan, report, client.inventory(), values["report_password"]):
        assert made_up not in walk(root)


def test_no_exception_holds_it(swarm: swarmsecrets.SimSwarm, made_up: str) -> None:
    value = swarmsecrets.SecretValue(made_up)
    attempts = [
        lambda: json.dumps(value),
        lambda: pickle.dumps(value),
        lambda: value + "x",  # type: ignore[operator]
        lambda: bytes(value),  # type: ignore[call-overload]
        lambda: list(value),  # type: ignore[call-overload]
        lambda: swarm.client().rotate("no_such_secret", value=value, confirm=True),
        lambda: swarm.client().rotate("report_password", value=value),
    ]
    for attempt in attempts:
        with pytest.raises(Exception) as caught:
            attempt()
        assert made_up not in "".join(traceback.format_exception(caught.value))


def test_exposing_can_be_forbidden_for_good(made_up: str) -> None:
    script = """
import sys, swarmsecrets
value = swarmsecrets.SecretValue(sys.stdin.read())
swarmsecrets.SecretValue.forbid_expose()
try:
    value.expose()
except swarmsecrets.Error as error:
    print(error.kind)
report = swarmsecrets.SimSwarm().client().rotate("report_password", value=value, confirm=True)
print(report.outcome)
"""
    ran = subprocess.run([sys.executable, "-c", script], input=made_up, capture_output=True, text=True, timeout=60)
    assert ran.stdout.split() == ["denied", "applied"], ran.stderr
    assert made_up not in ran.stderr


def test_a_policy_can_forbid_exposing(made_up: str) -> None:
    script = """
import sys, swarmsecrets
value = swarmsecrets.SecretValue(sys.stdin.read())
assert value.expose()
policy = swarmsecrets.Policy.parse("schema = 1\\nphase = 'automated'\\nexpose_values = false")
client = swarmsecrets.SimSwarm().client(policy=policy)
swarmsecrets.SimSwarm().client()
try:
    value.expose()
except swarmsecrets.Error as error:
    print(error.kind)
print(client.rotate("report_password", value=value, confirm=True).outcome)
"""
    ran = subprocess.run([sys.executable, "-c", script], input=made_up, capture_output=True, text=True, timeout=60)
    assert ran.stdout.split() == ["denied", "applied"], ran.stderr
    assert made_up not in ran.stderr


def test_a_plan_that_says_it_is_allowed_is_not_believed(client: swarmsecrets.Client) -> None:
    plan = client.plan_rotation("payment_api_key", value=swarmsecrets.Generate())
    with pytest.raises(errors.NeedsApprovalError):
        client.apply(plan, confirm=True)
    document = plan.to_dict()
    document["decision"] = {"decision": "allow"}
    with pytest.raises(errors.InvalidError):
        swarmsecrets.Plan.from_json(json.dumps(document))


def test_what_is_native_cannot_be_made_or_changed(client: swarmsecrets.Client) -> None:
    plan = client.plan_rotation("report_password", value=swarmsecrets.Generate())
    with pytest.raises(TypeError):
        type(plan._native)()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        type(client._session)()  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        plan._native.digest = "another"  # type: ignore[misc]
    with pytest.raises(TypeError):

        class Mine(type(plan._native)):  # type: ignore[misc]
            pass


def test_confirm_must_be_a_bool(client: swarmsecrets.Client) -> None:
    for word in ("yes", 1, object()):
        with pytest.raises(TypeError):
            client.rotate("report_password", value=swarmsecrets.Generate(), confirm=word)  # type: ignore[arg-type]

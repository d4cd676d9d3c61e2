"""The suites find what is wrong."""

import pytest

from swarmsecrets import testing
from swarmsecrets.audit import AuditRecord
from swarmsecrets.health import Containers, Health, Target
from swarmsecrets.transport import Request, Response


def test_a_sink_that_loses_records_is_found() -> None:
    class Losing:
        def append(self, record: AuditRecord) -> None:
            pass

    with pytest.raises(AssertionError, match="a record is there, unchanged"):
        testing.check_audit_sink(Losing, lambda: [])


def test_a_probe_that_shows_a_value_is_found(made_up: str) -> None:
    class Telling:
        name = "telling"
        condition = "working"

        def baseline(self, target: Target, containers: Containers) -> str:
            return made_up

        def check(self, target: Target, baseline: object, containers: Containers) -> Health:
            return Health.healthy()

    with pytest.raises(AssertionError, match="no value is shown") as caught:
        testing.check_health_probe(Telling(), lambda condition: None, value=made_up)
    assert made_up not in str(caught.value)


class Inventing:
    def send(self, request: Request) -> Response:
        return Response(200, b"[]")


def test_a_transport_that_makes_answers_up_is_found() -> None:
    with pytest.raises(AssertionError, match="the body is not what was sent"):
        testing.check_transport(lambda url, key: Inventing())


def test_what_the_stage_raises_is_raised() -> None:
    def broken(url: str, key: str) -> Inventing:
        raise LookupError("no such stage")

    with pytest.raises(LookupError, match="no such stage"):
        testing.check_transport(broken)

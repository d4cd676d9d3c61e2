"""A health probe: asks a service's own page, and takes no other version of the program for an answer than before."""

import json
import urllib.error
import urllib.request
from typing import Any

from swarmsecrets import errors
from swarmsecrets.health import Containers, Health, Target


class SameVersion:
    def __init__(self, url: str) -> None:
        self.url, self.name = url, f"version at {url}"

    def ask(self) -> str:
        with urllib.request.urlopen(self.url, timeout=2) as answer:
            return str(json.load(answer)["version"])

    def baseline(self, target: Target, containers: Containers) -> Any:
        try:
            return {"version": self.ask()}
        except (OSError, ValueError, KeyError):
            # Not the words of the exception: they may quote the answer, and that a value.
            raise errors.UnreachableError(f"{self.url} does not tell its version") from None

    def check(self, target: Target, baseline: Any, containers: Containers) -> Health:
        try:
            now = self.ask()
        except urllib.error.HTTPError as refused:
            return Health.unhealthy(f"it answers with HTTP {refused.code}")
        except (OSError, ValueError, KeyError):
            return Health.inconclusive("it does not tell its version")
        before = baseline.get("version") if isinstance(baseline, dict) else None
        return Health.healthy() if now == before else Health.inconclusive("it is of another version than before")

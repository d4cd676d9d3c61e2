"""Measures the Python package beside Rust and beside the `docker` package, all from the same bytes of the same server.

Its arguments are the programs `serve-world` and `read-world`. It prints a table.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Callable

import docker
import requests
import requests.adapters

import swarmsecrets
from swarmsecrets.transport import Request, Response

ROUNDS = 9
CALLS = 10_000


def by_docker(memory: FromMemory) -> dict[str, list[str]]:
    """Which services use which secret, as one writes it with the `docker` package."""
    engine = docker.APIClient(base_url=memory.url, version="1.41", timeout=120)
    engine.mount(memory.url, Adapter(memory))
    tasks = defaultdict(list)
    for task in engine.tasks():
        tasks[task["ServiceID"]].append(task["Status"]["State"])
    users = {secret["Spec"]["Name"]: [] for secret in engine.secrets()}
    for service in engine.services():
        for reference in service["Spec"]["TaskTemplate"]["ContainerSpec"].get("Secrets", []):
            users[reference["SecretName"]].append(f"{service['Spec']['Name']} {len(tasks[service['ID']])}")
    engine.close()
    return users


class FromMemory:
    """Answers what a server has answered before: as a transport of ours, and as an adapter of requests' for `docker`."""

    def __init__(self, url: str) -> None:
        self.url, self.known = url, dict[str, bytes]()

    def answer(self, path: str) -> bytes | None:
        if path not in self.known:
            try:
                with urllib.request.urlopen(self.url + path, timeout=60) as answer:
                    self.known[path] = answer.read()
            except urllib.error.HTTPError:
                return None
        return self.known[path]

    def send(self, request: Request) -> Response:
        body = self.answer(request.path)
        return Response(403, b"{}") if body is None else Response(200, body)


class Adapter(requests.adapters.BaseAdapter):
    def __init__(self, memory: FromMemory) -> None:
        super().__init__()
        self.memory = memory

    def send(self, request: requests.PreparedRequest, **_: object) -> requests.Response:
        response = requests.Response()
        response.status_code, response.request, response.url = 200, request, str(request.url)
        response._content = self.memory.answer(urllib.parse.urlsplit(str(request.url)).path)
        response.encoding = "utf-8"
        return response

    def close(self) -> None:
        pass


def timed(work: Callable[[], object]) -> float:
    """How long it takes to come to a result, without the time to throw that away."""
    begun = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - begun
    del result
    return seconds


def stands_still(work: Callable[[], object]) -> float:
    """The longest time for which another thread of Python's could not go on meanwhile."""
    longest, done = 0.0, threading.Event()

    def tick() -> None:
        nonlocal longest
        last = time.perf_counter()
        while not done.is_set():
            now = time.perf_counter()
            longest, last = max(longest, now - last), now

    thread = threading.Thread(target=tick)
    thread.start()
    work()
    done.set()
    thread.join()
    return longest


def resident() -> int:
    """The memory of this process, in KiB."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def grows(work: Callable[[], object]) -> tuple[int, int]:
    """Memory after a tenth of the calls, and after all of them."""
    for _ in range(CALLS // 10):
        work()
    early = resident()
    for _ in range(CALLS - CALLS // 10):
        work()
    return early, resident()


def main(serve: str, read: str) -> None:
    serving = subprocess.Popen([serve], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert serving.stdin and serving.stdout
    url = serving.stdout.readline().strip()
    rust = subprocess.Popen([read, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert rust.stdin and rust.stdout
    client = swarmsecrets.Client(url, api_key="made-up", endpoint=1, journal="/tmp/swarmsecrets-measure")
    memory = FromMemory(url)
    ours_from_memory = swarmsecrets.Client.over(memory, endpoint=1, journal="/tmp/swarmsecrets-measure")
    ours, theirs = ours_from_memory.inventory(), by_docker(memory)
    times: dict[str, list[float]] = {"Rust": [], "Python": [], "ours": [], "docker": []}
    rust_in, rust_out = rust.stdin, rust.stdout

    def by_rust() -> float:
        print("go", file=rust_in, flush=True)
        return float(rust_out.readline().split()[0])

    for _ in range(ROUNDS):
        times["Rust"].append(by_rust())
        times["Python"].append(timed(client.inventory))
        times["ours"].append(timed(ours_from_memory.inventory))
        times["docker"].append(timed(lambda: by_docker(memory)))
    graph = {
        version.name: sorted(one.service for one in secret.consumers if one.version in (version.name, version.id))
        for secret in ours.secrets
        for version in secret.versions
    }
    assert graph == {name: sorted(user.split()[0] for user in users) for name, users in theirs.items()}
    attributes = timed(lambda: client.inventory().secrets)
    still, beside = stands_still(client.inventory), stands_still(by_rust)
    rust.stdin.close()
    serving.stdin.close()
    medians = {name: statistics.median(values) for name, values in times.items()}
    ratios = [python / rust for python, rust in zip(times["Python"], times["Rust"], strict=True)]
    slower = [docker / ours for docker, ours in zip(times["docker"], times["ours"], strict=True)]
    swarm = swarmsecrets.SimSwarm()
    demo = swarm.client()
    inventory = grows(demo.inventory)
    plan = demo.plan_rotation("report_password", value=swarmsecrets.Generate())
    values = grows(lambda: (swarmsecrets.SecretValue("made up"), plan.to_json(), plan.diff()))
    rows = [
        ("usage graph in Rust, over HTTP", f"{medians['Rust'] * 1000:.0f} ms"),
        ("`Client.inventory()`, over HTTP", f"{medians['Python'] * 1000:.0f} ms"),
        ("median of the paired ratios", f"{statistics.median(ratios):.2f} ×"),
        ("`Client.inventory()`, bytes from memory", f"{medians['ours'] * 1000:.0f} ms"),
        ("the same graph with the `docker` package, bytes from memory", f"{medians['docker'] * 1000:.0f} ms"),
        ("median of these paired ratios", f"{statistics.median(slower):.1f} ×"),
        ("`Client.inventory().secrets`: every secret as an object of Python's", f"{attributes * 1000:.0f} ms"),
        ("longest pause of another thread meanwhile", f"{still * 1000:.1f} ms"),
        ("its longest pause while another process reads the inventory", f"{beside * 1000:.1f} ms"),
        (f"memory after {CALLS // 10:,} and after {CALLS:,} inventories of the demo", "{} and {} KiB".format(*inventory)),
        ("the same with values, documents and diffs of plans", "{} and {} KiB".format(*values)),
    ]
    print("| 10,000 services, 20,000 secrets, 98 MB | |\n| --- | ---: |")
    for what, measured in rows:
        print(f"| {what} | {measured} |")


if __name__ == "__main__":
    main(*sys.argv[1:])

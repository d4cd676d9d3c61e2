"""Rotates a secret on a simulated Swarm. For a real one, make the client with `swarmsecrets.Client(url, api_key=…, endpoint=…)`."""

import swarmsecrets

client = swarmsecrets.SimSwarm().client(agent_id="example")
print(client.inventory())
plan = client.plan_rotation("report_password", value=swarmsecrets.Generate(length=40), reason="an example")
print(plan.diff())
for progress in (running := client.apply(plan, confirm=True, stream=True)):
    print(progress.text or next(iter(progress.event or {}), ""))
print(running.report().outcome)

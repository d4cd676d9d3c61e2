"""Rotates a secret on a simulated Swarm. For a real one, make the client with `swarmsecrets.Client(url, api_key=…, endpoint=…)`."""

import swarmsecrets

client = swarmsecrets.SimSwarm().client(agent_id="example")
print(client.inventory())
plan = client.plan_rotation("report_password", value=swarmsecrets.Generate(length=40), reason="an example")
print(plan.diff())
running = client.apply(plan, confirm=True, stream=True)
for progress in running:
    if progress.kind == "sending":
        print(progress.text)
print(running.report().outcome)

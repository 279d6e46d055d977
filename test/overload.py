"""Ten times more than carriers take: python3 test/overload.py [--seconds N] (./dev soak).

The carrier takes 2,000 a second; 20,000 are offered, of all classes, by clients that do not slow down. Printed, and held
against the targets: how much of the carrier is used, who is refused, how quickly and with which Retry-After, memory,
and how soon all is as before. At the end the ledgers are held against each other. Exit code 1: a target was missed.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import bench as tools
import harness
from harness import BINARY, ROOT, World, wait_until

RATE = 2_000
OFFERED = {"otp": 100, "transactional": 3_900, "support": 4_000, "marketing": 12_000}  # a second
# The less urgent, the sooner a line is too long.
CLASSES = {"otp": {"max_wait": "30s"}, "transactional": {"max_wait": "10s"}, "support": {"max_wait": "5s"},
           "marketing": {"max_wait": "2s"}}
TO = "+447700900100"


def taken(world):
    return sum(c["submits"] for c in world.control().get("/v1/carriers")["data"])


def waiting(world):
    return sum(lane["depth"] for lane in world.admin().get("/v1/queues")["data"])


class Probe(threading.Thread):
    """One marketing message after the other, each on its own: what a client sees."""

    def __init__(self, world):
        super().__init__(daemon=True)
        self.api, self.ended, self.refused, self.taken = world.api(), threading.Event(), [], 0

    def run(self):
        while not self.ended.wait(0.05):
            start = time.monotonic()
            status, answer, headers = self.api.request("POST", "/v1/messages",
                                                       {"to": TO, "body": "probe", "class": "marketing"})
            if status == 201:
                self.taken += 1
                continue
            rule = answer["reasons"][0]["rule"] if status == 429 and answer.get("reasons") else str(answer)
            self.refused.append(((time.monotonic() - start) * 1000, status, rule, int(headers.get("Retry-After", 0))))

    def end(self):
        self.ended.set()
        self.join()


def start_loads(world, seconds, batch):
    loads = {}
    for name, rate in OFFERED.items():
        options = {"rate": rate, "duration": f"{seconds}s", "class": name, "connections": 4 if name == "otp" else 8,
                   "ledger": world.directory / f"{name}.ndjson"}
        if name != "otp":
            options["batch"] = batch
        loads[name] = subprocess.Popen([BINARY, *world.load_arguments(**options)], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
    return loads


def reports_of(loads):
    out = {}
    for name, load in loads.items():
        text, err = load.communicate(timeout=600)
        if load.returncode not in (0, 1):
            raise AssertionError(f"load of {name}: {err}")
        out[name] = json.loads(text)
    return out


def until_accepted(world, name):
    """Seconds until a message of the class is accepted."""
    start = time.monotonic()
    body = {"to": TO, "body": "after", "class": name}
    wait_until(f"{name} is accepted", 120, lambda: world.api().post("/v1/messages", body)[0] == 201, step=0.05)
    return time.monotonic() - start


def measure(directory, seconds, batch):
    world = World(directory, [harness.carrier_spec("alpha")], classes=CLASSES)
    with world:
        world.start(smpp={"binds": 4, "window": 500, "rate": f"{RATE}/s"})
        wait_until("links are bound", 30, world.bound)
        memory = harness.memory(world.gateway.pid) / 2**20
        cpu, probe = tools.Cpu(world.gateway.pid), Probe(world)
        loads = start_loads(world, seconds, batch)
        probe.start()
        time.sleep(min(5, seconds / 4))
        before, start = taken(world), time.monotonic()
        deepest = 0
        while time.monotonic() - start < seconds - min(5, seconds / 4) - 1:
            time.sleep(1)
            deepest = max(deepest, waiting(world))
        span = time.monotonic() - start
        out = {"goodput_per_s": (taken(world) - before) / span, "deepest": deepest}
        out["cpu"] = cpu.used()[""] / (seconds - 1)
        out["peak_mb"] = harness.memory(world.gateway.pid, "VmHWM") / 2**20
        out["grown_mb"] = out["peak_mb"] - memory
        reports = reports_of(loads)
        probe.end()
        out["again_s"] = {name: until_accepted(world, name) for name in OFFERED}
        start = time.monotonic()
        wait_until("the lines are empty", 120, lambda: waiting(world) == 0, step=0.2)
        out["drained_s"] = time.monotonic() - start
        out["probe"] = {"refused": len(probe.refused), "taken": probe.taken}
        if probe.refused:
            times = sorted(one[0] for one in probe.refused)
            out["probe"].update({"p50_ms": statistics.median(times), "p99_ms": times[len(times) * 99 // 100],
                                 "answers": sorted({one[1:3] for one in probe.refused}),
                                 "after": [min(one[3] for one in probe.refused), max(one[3] for one in probe.refused)]})
        out["classes"] = {name: {"offered": r["sent"] + r["unsent"], "sent": r["sent"], "accepted": r["acknowledged"],
                                 "refused": r["refused"], "errors": r["errors"], "p99_ms": r["latency_ms"]["p99"]}
                          for name, r in reports.items()}
        for process in (world.gateway, world.simulator):
            if process.stop() != 0:
                raise AssertionError(process.log_tail())
        accepted = world.directory / "accepted.ndjson"
        accepted.write_bytes(b"".join((world.directory / f"{name}.ndjson").read_bytes() for name in OFFERED))
        # Messages of the probe are of nobody's ledger.
        _, out["verdict"], _ = harness.verify(accepted, world.ledger)
    return out


def share(one):
    return one["accepted"] / max(1, one["sent"])


def missed(r):
    out = []

    def want(good, text):
        if not good:
            out.append(text)

    c = r["classes"]
    want(r["goodput_per_s"] >= 0.95 * RATE, "goodput below 95 % of what the carrier takes")
    want(not c["otp"]["refused"], "one-time passwords were refused")
    want(share(c["transactional"]) >= share(c["support"]) >= share(c["marketing"]), "not the least urgent first")
    want(r["probe"]["refused"] > 0, "nothing was refused: no overload")
    want(all(status == 429 and rule == "limits.overload" for status, rule in r["probe"].get("answers", [])),
         "refused otherwise than with 429")
    want(r["probe"].get("after", [0])[0] >= 1, "no Retry-After")
    want(max(r["again_s"].values()) <= 10, "not as before within ten seconds")
    want(r["grown_mb"] <= 500, "memory")
    want(not any(one["errors"] for one in c.values()), "errors")
    want(r["verdict"]["lost"] == 0 and r["verdict"]["duplicates"] == 0, "the ledgers disagree")
    return out


def print_table(r, seconds):
    offered = sum(one["offered"] for one in r["classes"].values()) / seconds
    sent = sum(one["sent"] for one in r["classes"].values()) / seconds
    print(f"a carrier that takes {RATE:,} a second, offered {offered:,.0f} ({sent:,.0f} could be sent) for {seconds} s; "
          f"gateway CPU {r['cpu'] * 100:.0f} % of one processor")
    print(f"  goodput {r['goodput_per_s']:,.0f}/s, {r['goodput_per_s'] / RATE * 100:.1f} %; at most {r['deepest']:,} waited; "
          f"memory {r['peak_mb']:.0f} MB at most, {r['grown_mb']:.0f} more than before")
    for name, one in r["classes"].items():
        refused = ", ".join(f"{count:,} x {why}" for why, count in one["refused"].items()) or "none"
        print(f"  {name:<14} sent {one['sent']:>9,}, accepted {share(one) * 100:5.1f} %, p99 {one['p99_ms']:.0f} ms; refused {refused}")
    p = r["probe"]
    if p["refused"]:
        print(f"  refusals of single messages: p50 {p['p50_ms']:.1f} ms, p99 {p['p99_ms']:.1f} ms, Retry-After {p['after'][0]} "
              f"to {p['after'][1]} s ({p['refused']:,} of {p['refused'] + p['taken']:,})")
    print("  after the end each class is accepted again after " +
          ", ".join(f"{name} {s:.1f} s" for name, s in r["again_s"].items()) + f"; lines empty after {r['drained_s']:.0f} s")
    v = r["verdict"]
    print(f"  ledgers: {v['accepted']:,} accepted, {v['lost']} lost, {v['duplicates']} duplicates")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--batch", type=int, default=20, help="messages a request, but for one-time passwords")
    parser.add_argument("--directory", default=str(ROOT / "build"), help="where the store lies (a real disk)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="overload-", dir=options.directory) as directory:
        result = measure(directory, options.seconds, options.batch)
    print_table(result, options.seconds)
    why = missed(result)
    for text in why:
        print(f"  MISSED: {text}")
    sys.exit(1 if why else 0)


if __name__ == "__main__":
    main()

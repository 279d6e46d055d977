"""One-time passwords beside a deep backlog of marketing, in one run: python3 test/backlog.py [--backlog N] (./dev bench).

The carrier takes 2,000 a second. First passwords alone; then marketing is handed in as fast as it goes, and while it
drains, passwords again. Printed: the time from acceptance to submit of both, and their ratio. At the end the carrier's
rate is lifted, the rest drains, and the ledgers are held against each other.
"""
import argparse
import os
import signal
import tempfile
import time

import bench as tools
import harness
from harness import ROOT, World, wait_until

RATE = 2_000
PASSWORDS = 90  # a second
BATCH = 500


def otp(world):
    return tools.histogram(harness.metrics(world.admin()), "trunkline_accept_to_submit_seconds", **{"class": "otp"})


def waiting(world):
    return sum(lane["depth"] for lane in world.admin().get("/v1/queues")["data"] if lane["class"] == "marketing")


def taken(world):
    return sum(c["submits"] for c in world.control().get("/v1/carriers")["data"])


def passwords(world, seconds, ledgers, name):
    """(p50, p99) in ms, from acceptance to submit."""
    ledger = world.directory / f"{name}.ndjson"
    ledgers.append(ledger)
    before, cpu, start = otp(world), tools.Cpu(world.gateway.pid), time.monotonic()
    report = world.load(rate=PASSWORDS, count=PASSWORDS * seconds, connections=8, timeout=600, ledger=ledger,
                        **{"class": "otp"})
    if report["acknowledged"] != report["sent"]:
        raise AssertionError(f"not all were acknowledged: {report}")
    time.sleep(1)  # the last ones are counted when they are answered
    after = otp(world)
    used = cpu.used()[""] / (time.monotonic() - start)
    return {"p50_ms": tools.quantile(before, after, 0.5), "p99_ms": tools.quantile(before, after, 0.99),
            "accept_p99_ms": report["latency_ms"]["p99"], "cpu": used, "messages": report["sent"]}


def measure(directory, backlog, seconds):
    ledgers = []
    world = World(directory, [harness.carrier_spec("alpha")])
    smpp = {"binds": 4, "window": 500, "rate": f"{RATE}/s"}
    with world:
        world.start(smpp=smpp)
        wait_until("links are bound", 30, world.bound)
        passwords(world, 3, ledgers, "warm_up")
        out = {"idle": passwords(world, seconds, ledgers, "idle")}

        ledgers.append(world.directory / "marketing.ndjson")
        start = time.monotonic()
        report = world.load(count=backlog, connections=4, batch=BATCH, timeout=1_200, ledger=ledgers[-1],
                            **{"class": "marketing"})
        if report["acknowledged"] != report["sent"]:
            raise AssertionError(f"not all were acknowledged: {report}")
        out["handed_in_per_s"] = report["sent"] / (time.monotonic() - start)
        time.sleep(2)  # lines are told every second
        before, start = taken(world), time.monotonic()
        out["waiting"] = [waiting(world)]
        out["busy"] = passwords(world, seconds, ledgers, "busy")
        out["waiting"].append(waiting(world))
        out["drained_per_s"] = (taken(world) - before) / (time.monotonic() - start)
        out["rss_mb"] = harness.memory(world.gateway.pid) / 2**20

        world.write_config({**smpp, "rate": "1000000/s"})
        os.kill(world.gateway.pid, signal.SIGHUP)
        wait_until("all is sent", 600, lambda: waiting(world) == 0, step=0.5)
        for process in (world.gateway, world.simulator):
            if process.stop() != 0:
                raise AssertionError(process.log_tail())
        accepted = world.directory / "accepted.ndjson"
        with open(accepted, "wb") as all_of_them:
            for ledger in ledgers:
                all_of_them.write(ledger.read_bytes())
        code, out["verdict"], why = harness.verify(accepted, world.ledger)
        if code != 0:
            raise AssertionError(f"the ledgers disagree: {out['verdict']} {why}")
    floor = max(out["idle"]["p99_ms"], 1)
    out["ratio"] = out["busy"]["p99_ms"] / floor
    return out


def print_table(r):
    print(f"one-time passwords, {PASSWORDS} a second, beside marketing that drains at {r['drained_per_s']:,.0f}/s "
          f"({r['waiting'][0]:,} to {r['waiting'][1]:,} waiting; RSS {r['rss_mb']:,.0f} MB)")
    for name in ("idle", "busy"):
        one = r[name]
        print(f"  accept to submit, {name}  p50 {one['p50_ms']:.2f} ms, p99 {one['p99_ms']:.2f} ms; answered p99 "
              f"{one['accept_p99_ms']:.2f} ms; gateway CPU {one['cpu'] * 100:.0f} % of one processor")
    print(f"  p99 beside the backlog is {r['ratio']:.2f} times that of idle (1 ms at least)  target 1.5"
          f"{'' if r['ratio'] <= 1.5 else '  MISSED'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backlog", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=30, help="of each of the two measurements")
    parser.add_argument("--directory", default=str(ROOT / "build"), help="where the store lies (a real disk)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="backlog-", dir=options.directory) as directory:
        print_table(measure(directory, options.backlog, options.seconds))


if __name__ == "__main__":
    main()

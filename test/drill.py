"""Drills: a carrier fails under load, on the real binary. ./dev soak runs it, or python3 test/drill.py [--seconds N].

Two simulated carriers, one route that prefers alpha. Urgent messages come at a steady rate while alpha fails for a
third of the time in one of the ways carriers fail; then two carriers of a region fail at once, with a third in
another one, while other messages may not leave the region. Told is how long those that came in that time took from the
acknowledgement to the first carrier that took them, how many submits there were, and what was lost.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import harness
from harness import BINARY, World, read_lines, verify, wait_until

RATE = 100

DRILLS = {
    "unbound": [("stop", None), ("start", None)],
    "connections reset again and again": [("faults", {"reset": {"ratio": 1, "when": "before_accept"}}), ("mend", None)],
    "refuses all": [("faults", {"refuse": "ESME_RSYSERR"}), ("mend", None)],
    "asks for another route": [("faults", {"refuse": "ESME_RINVSRCADR"}), ("mend", None)],
    "black hole": [("faults", {"silence": "drop"}), ("mend", None)],
    "answers after 3 s": [("faults", {"latency": "3s"}), ("mend", None)],
    "throttles to 20/s": [("faults", {"rate": "20/s"}), ("mend", None)],
}
# Both carriers of region eu at once; urgent messages may go to us.
REGION_DRILLS = {
    "region: all unbound": [("stop", None), ("start", None)],
    "region: all refuse": [("faults", {"refuse": "ESME_RSYSERR"}), ("mend", None)],
    "region: all ask for another route": [("faults", {"refuse": "ESME_RINVSRCADR"}), ("mend", None)],
}
# What goes into a hole, or to a connection that breaks, is in doubt: sent again after the class's 5 s, or at once.
P99_MS = {"black hole": 5_500, "answers after 3 s": 3_500, "throttles to 20/s": 3_500}


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def seconds_of(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def do(world, action, fault, carrier="alpha"):
    path = f"/v1/carriers/{carrier}/{action if action in ('stop', 'start') else 'faults'}"
    if action == "mend":
        status, body = world.control().request("DELETE", path)[:2]
    else:
        status, body = world.control().post(path, fault if fault is not None else {})
    if status != 200:
        raise SystemExit(f"{action}: {status} {body}")


def start_load(world, traffic_class, rate, seconds, ledger):
    return subprocess.Popen([BINARY, *world.load_arguments(rate=rate, duration=f"{seconds}s", ledger=ledger,
                                                          **{"class": traffic_class})],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end_load(load):
    _, err = load.communicate(timeout=600)
    if load.returncode not in (0, 1):
        raise SystemExit(f"load: {err}")


def settle(world):
    wait_until("all is settled", 120, lambda: next(iter(harness.unsettled(world.api())), None) is None, step=0.5)


def region_drill(name, seconds, directory):
    """alpha and gamma are in eu and fail, beta is in us. What is transactional may not leave eu."""
    world = World(directory, [harness.carrier_spec(carrier) for carrier in ("alpha", "gamma", "beta")])
    try:
        world.start_simulator()
        world.write_config(routes=[
            {"name": "stays", "match": {"class": "transactional"}, "residency": ["eu"],
             "via": [{"carrier": "alpha"}, {"carrier": "gamma"}]},
            {"name": "spills", "via": [{"carrier": c} for c in ("alpha", "gamma", "beta")], "spill_to": ["us"]}])
        config = json.loads(world.config_path.read_text())
        for carrier in config["carriers"]:
            carrier["region"] = "us" if carrier["name"] == "beta" else "eu"
        world.config_path.write_text(json.dumps(config))
        world.start_gateway()
        wait_until("links are bound", 30, world.bound)
        accepted, staying = directory / "accepted.ndjson", directory / "staying.ndjson"
        loads = [start_load(world, "otp", RATE, 3 * seconds, accepted),
                 start_load(world, "transactional", RATE // 5, 3 * seconds, staying)]
        begin, end = REGION_DRILLS[name]
        time.sleep(seconds)
        began = time.time()
        for carrier in ("alpha", "gamma"):
            do(world, *begin, carrier)
        time.sleep(seconds)
        for carrier in ("alpha", "gamma"):
            do(world, *end, carrier)
        ended = time.time()
        for load in loads:
            end_load(load)
        settle(world)
        good = report(world, name, accepted, began, ended, others=staying)
        tokens = {line["token"] for line in read_lines(staying)}
        left = [line for line in world.carrier_lines() if line["carrier"] == "beta" and line["token"] in tokens]
        taken = {line["token"] for line in world.carrier_lines() if line["resp"] == "ok"}
        # Where each of its carriers said that it will never take a message, that is the message's end.
        waited = tokens <= taken or "ask for another route" in name
        print(f"{'':<36} {len(tokens):>6} that may not leave eu: {len(left)} left, {len(tokens - taken)} ended there"
              f"{'' if waited and not left else '   FAILED'}", flush=True)
        return good and waited and not left
    finally:
        world.__exit__()


def drill(name, seconds, directory):
    world = World(directory, [harness.carrier_spec("alpha"), harness.carrier_spec("beta")])
    try:
        world.start()
        wait_until("links are bound", 30, world.bound)
        accepted = directory / "accepted.ndjson"
        load = start_load(world, "otp", RATE, 3 * seconds, accepted)
        begin, end = DRILLS[name]
        time.sleep(seconds)
        began = time.time()
        do(world, *begin)
        time.sleep(seconds)
        do(world, *end)
        ended = time.time()
        end_load(load)
        settle(world)
        return report(world, name, accepted, began, ended)
    finally:
        world.__exit__()


def report(world, name, accepted, began, ended, others=None):
    """`others`: the ledger of messages that are verified, too, but not told of."""
    messages = world.directory / "messages.ndjson"
    harness.write_messages(messages, harness.all_messages(world.api()))
    world.simulator.stop()  # what its ledger has yet to say
    lines = read_lines(accepted)
    tokens = {line["token"] for line in lines}
    first = {}
    submits = 0
    for line in world.carrier_lines():
        submits += line["token"] in tokens
        if line["resp"] in ("ok", "none") and line["token"] not in first:
            first[line["token"]] = seconds_of(line["t"])
    waits = [max(0, first[l["token"]] - seconds_of(l["t"])) * 1e3 for l in lines
             if began <= seconds_of(l["t"]) < ended and l["token"] in first]
    everything = world.directory / "everything.ndjson"
    everything.write_text("".join(ledger.read_text() for ledger in (accepted, others) if ledger))
    code, verdict, error = verify(everything, world.ledger, messages=messages)
    if verdict is None:
        raise SystemExit(f"verify: {code} {error}")
    p50, p99, longest = (percentile(waits, share) for share in (0.5, 0.99, 1))
    good = not any(verdict[key] for key in ("lost", "never_accepted", "unflagged_duplicates", "misdirected"))
    quick = p99 <= P99_MS.get(name, 1_000)
    print(f"{name:<36} {len(waits):>6} messages   {p50:>6.0f} / {p99:>6.0f} / {longest:>6.0f} ms   "
          f"{submits / len(lines):.3f} submits a message   lost {verdict['lost']}, twice {verdict['duplicates']}"
          f"{'' if good and quick else '   FAILED'}", flush=True)
    return good and quick


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=15, help="of the outage, and before and after it")
    parser.add_argument("--only", help="drills whose name contains this")
    options = parser.parse_args()
    print(f"{RATE} urgent messages a second; of those acknowledged in the outage: acknowledged to taken, p50 / p99 / longest")
    passed = True
    for name in [*DRILLS, *REGION_DRILLS]:
        if options.only and options.only not in name:
            continue
        with tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP")) as directory:
            run_one = drill if name in DRILLS else region_drill
            passed &= run_one(name, options.seconds, Path(directory))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())

# ctest: TIMEOUT 900
"""SIGKILL under load, at random and at every named failpoint, on the same data: then the ledgers are held together.

What is proved each time: nothing acknowledged is lost, nothing is sent that nobody asked for, nothing is sent twice
without saying so. `crash_test.py --kills N [--seconds S]` does more of it (./dev soak).
"""
import argparse
import collections
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import harness
from harness import World, verify, wait_until

KILLS = 32
SEED = int(os.environ.get("TRUNKLINE_CRASH_SEED", "0")) or random.randrange(1, 2**31)
RATE = 1200
MAX_ALIVE = 1.2  # seconds a gateway lives before a random kill
FAILPOINT_PATIENCE = 5  # seconds for a failpoint to be reached, then it is killed like the others
SETTLE_SECONDS = 90

FAULTS = [{"latency": {"p50": "4ms", "p99": "40ms"}, "refuse": {"status": "ESME_RSYSERR", "ratio": "1%"},
           "reset": "0.05%", "silence": "0.02%", "garbage": "0.02%",
           "receipts": {"delay": {"p50": "50ms", "p99": "800ms"}, "duplicate": "1%", "early": "1%", "reorder": "1%"}}]
# Impatient, so that in-doubt attempts are resent while the test runs. Marketing keeps its rule: never resent.
FAST = {"attempts": 20, "first": "200ms", "max": "1s"}
CLASSES = {"otp": {"response_timeout": "2s", "retry": FAST}, "transactional": {"response_timeout": "2s", "retry": FAST},
           "marketing": {"response_timeout": "2s", "retry": FAST}}

# Fictional numbers of all area codes, tens of thousands. With few, a message that a kill left in pieces and a later one
# to the same number share a reference of 8 bits once in a while; no phone, and no ledger, could tell their parts apart.
NUMBERS = ",".join(f"+1{area}55501" for area in range(201, 990) if area % 100 != 11)


class Crash(unittest.TestCase):
    kills = KILLS

    def setUp(self):
        self.random = random.Random(SEED)
        self.causes = collections.Counter()
        print(f"seed {SEED} (TRUNKLINE_CRASH_SEED repeats the choices)")

    def test_nothing_is_lost_and_nothing_sent_twice_in_silence(self):
        with tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP")) as directory, \
                World(directory, [harness.carrier_spec("alpha", FAULTS), harness.carrier_spec("beta", FAULTS)],
                      classes=CLASSES) as world:
            world.start_simulator(seed=SEED)
            http = f"127.0.0.1:{harness.free_port()}"
            world.write_config(smpp={"reconnect_first": "20ms", "reconnect_max": "100ms"},
                               listen={"http": {"address": http}, "admin": {"address": "127.0.0.1:0"}})
            world.start_gateway()
            load = self.start_load(world)
            try:
                self.kill_again_and_again(world)
                world.start_gateway()
                report = self.stop_load(load)
            finally:
                load.kill()
                load.communicate()
            self.judge(world, report)

    def start_load(self, world):
        arguments = world.load_arguments(
            rate=RATE, duration="1d", connections=6, pipeline=2, retry=True, patience="120s", seed=SEED,
            ledger=world.directory / "accepted.ndjson", attempted=world.directory / "attempted.ndjson",
            segments="1:90,2:8,3:2", unicode=0.05, to_prefix=NUMBERS,
            **{"class": "otp:30,transactional:60,marketing:10"})
        return subprocess.Popen([harness.BINARY, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)

    def stop_load(self, load):
        load.send_signal(signal.SIGTERM)
        out, err = load.communicate(timeout=120)
        self.assertIn(load.returncode, (0, 1), err)
        return json.loads(out)

    def kill_again_and_again(self, world):
        """Half at random, half at failpoints, those in turn."""
        names = harness.failpoint_names()
        self.assertTrue(names)
        for i in range(self.kills):
            if i % 2 == 0:
                self.kill_at_random(world)
            else:
                self.kill_at(world, names[(i // 2) % len(names)])
        print("killed:", ", ".join(f"{name} {count}" for name, count in sorted(self.causes.items())))

    def hits(self):
        """On which hit the failpoint acts: often the first ones, sometimes late."""
        return int(self.random.paretovariate(0.7))

    def kill_at_random(self, world):
        if not world.gateway.running():
            world.spawn_gateway()
        time.sleep(self.random.uniform(0, MAX_ALIVE))
        self.assertTrue(world.gateway.running(), world.gateway.log_tail())
        world.gateway.kill()
        self.assertEqual(world.gateway.wait(), -signal.SIGKILL, world.gateway.log_tail())
        self.causes["at random"] += 1

    def kill_at(self, world, failpoint):
        """The gateway is down; it kills itself there, or is killed when it never comes by."""
        self.assertFalse(world.gateway.running())
        world.spawn_gateway({"TRUNKLINE_FAILPOINTS": f"{failpoint}=kill@{self.hits()}"})
        until = time.monotonic() + FAILPOINT_PATIENCE
        while world.gateway.running() and time.monotonic() < until:
            time.sleep(0.01)
        reached = not world.gateway.running()
        world.gateway.kill()
        self.assertEqual(world.gateway.wait(), -signal.SIGKILL, world.gateway.log_tail())
        self.causes[failpoint if reached else f"{failpoint} (not reached)"] += 1

    def judge(self, world, report):
        api = world.api()
        held = {}
        print("load:", {k: report[k] for k in ("sent", "acknowledged", "replayed", "retries", "refused", "errors")})

        def settled():
            # What is in doubt in a class that is never resent waits for a receipt much longer than this test.
            held.clear()
            others = 0
            for m in harness.unsettled(api):
                if m["class"] == "marketing" and m["status"] in ("submitting", "submitted") and in_doubt(api, m):
                    held[m["id"]] = m
                else:
                    others += 1
            return others == 0
        try:
            wait_until("every message settled, or held in doubt", SETTLE_SECONDS, settled, step=0.5)
        except AssertionError:
            self.explain_unsettled(world, api)
            raise
        messages = list(harness.all_messages(api))
        harness.write_messages(world.directory / "messages.ndjson", messages)
        stats = world.control().get("/v1/carriers")["data"]
        self.assertEqual(world.simulator.stop(), 0, world.simulator.log_tail())
        accepted = self.without_held(world, held)
        code, verdict, why = verify(accepted, world.ledger, world.directory / "attempted.ndjson",
                                    world.directory / "messages.ndjson")
        states = collections.Counter(m["status"] for m in messages)
        print("messages:", dict(states), "held in doubt:", len(held))
        print("verdict:", verdict, why)
        if code == 1:
            self.explain_verdict(world, api, messages, verdict)
        self.assertEqual(world.gateway.stop(), 0, world.gateway.log_tail())
        self.assertEqual(code, 0, verdict)
        self.assertGreater(verdict["accepted"], 0)
        self.assertEqual((verdict["lost"], verdict["never_accepted"], verdict["unflagged_duplicates"],
                          verdict["misdirected"]), (0, 0, 0, 0))
        self.assertEqual([(s["name"], s["protocol_errors"], s["last_protocol_error"]) for s in stats],
                         [(s["name"], 0, "") for s in stats])
        self.assertEqual((report["refused"], report["errors"]), ({}, {}))
        self.duplicates_are_bounded(world, messages, verdict)

    def explain_verdict(self, world, api, messages, verdict):
        for example in verdict["examples"]:
            token = example.split()[1]
            print(example)
            for line in world.carrier_lines():
                if line["token"] == token:
                    print("   carrier:", line)
            for message in messages:
                if token in (message["body"] or ""):
                    for event in api.get(f"/v1/messages/{message['id']}/events")["data"]:
                        print("   event:", event)

    def explain_unsettled(self, world, api):
        messages = list(harness.unsettled(api))
        print(collections.Counter(m["status"] for m in messages))
        for message in messages[:10]:
            print("  ", message)
            for event in api.get(f"/v1/messages/{message['id']}/events")["data"]:
                print("    ", event)
        print(world.admin().get("/v1/carriers"), world.admin().get("/v1/queues"))
        print(world.control().get("/v1/carriers"))

    def without_held(self, world, held):
        """The clients' ledger without those held in doubt, for whom it is too early to say; carriers may have taken
        each at most once."""
        path = world.directory / "accepted_settled.ndjson"
        tokens = set()
        with open(path, "w", encoding="utf-8") as out:
            for line in harness.read_lines(world.directory / "accepted.ndjson"):
                if line["id"] in held:
                    tokens.add(line["token"])
                else:
                    out.write(json.dumps(line) + "\n")
        taken = collections.Counter(line["token"] for line in world.carrier_lines()
                                    if line["token"] in tokens and line["resp"] in ("ok", "none")
                                    and not line.get("partial"))
        self.assertTrue(all(count == 1 for count in taken.values()), taken)
        return path

    def duplicates_are_bounded(self, world, messages, verdict):
        """Only what may have been in doubt was ever sent twice, and of a class that is never resent, nothing."""
        flagged = {m["id"]: m for m in messages if m["possible_duplicate"]}
        self.assertEqual([m["id"] for m in flagged.values() if m["class"] == "marketing"], [])
        self.assertLessEqual(verdict["duplicates"], len(flagged))


def in_doubt(api, message):
    """Some of its bytes may have left, and nobody has said what became of them."""
    events = api.get(f"/v1/messages/{message['id']}/events")["data"]
    return any(e["cause"] in ("restart", "link_lost", "link_lost_oldest", "response_timeout") for e in events)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=KILLS)
    options, rest = parser.parse_known_args()
    Crash.kills = options.kills
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)

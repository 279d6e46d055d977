"""Carriers that are tried out: a worse one is rolled back, one that is as good takes over; durable, visible."""
# ctest: TIMEOUT 300
import json
import os
import tempfile
import unittest
from pathlib import Path

import harness
from harness import ADMIN_TOKEN, World, metrics, run, total, wait_until

QUICK = {"latency": "2ms", "receipts": {"delay": "30ms"}}
# Wide margins: it is about what follows from an outcome, which a few hundred messages are to bring about.
RULE = {"carrier": "gamma", "share": "30%", "less_delivered": "30%", "more_refused": "30%", "more_late": "50%",
        "risk": "5%", "then": "take_over"}


class Canary(unittest.TestCase):
    def start(self, gamma=None, **rule):
        temporary = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        self.addCleanup(temporary.cleanup)
        specs = [harness.carrier_spec("alpha", [QUICK]), harness.carrier_spec("gamma", [gamma or QUICK])]
        self.world = World(Path(temporary.name), specs)
        self.addCleanup(self.world.__exit__)
        self.world.start(routes=self.routes(**rule))
        wait_until("links are bound", 30, self.world.bound)

    @staticmethod
    def routes(**rule):
        return [{"name": "all", "via": [{"carrier": "alpha"}], "canary": {**RULE, **rule}}]

    def load(self, traffic_class="transactional", count=600):
        report = self.world.load(rate=400, count=count, **{"class": traffic_class})
        self.assertEqual(report["acknowledged"], count, report)

    def canary(self):
        data = self.world.admin().get("/v1/carriers")["data"]
        canaries = next(c for c in data if c["name"] == "gamma")["canaries"]
        self.assertEqual(len(canaries), 1, canaries)
        return canaries[0]

    def ends(self, state):
        wait_until(f"it is {state}", 30, lambda: self.canary()["state"] != "running", step=0.2)
        self.assertEqual(self.canary()["state"], state, self.canary())

    def seen_by_gamma(self):
        return sum(1 for line in self.world.carrier_lines() if line["carrier"] == "gamma")

    def list(self):
        done = run("carrier", "list", "--admin", f"http://{self.world.gateway.ready['admin']}",
                   env={"TRUNKLINE_ADMIN_TOKEN": ADMIN_TOKEN})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def explained(self, traffic_class="transactional"):
        status, body = self.world.api().post("/v1/explain", {"to": "+447700900123", "class": traffic_class})
        self.assertEqual(status, 200, body)
        return body

    def test_a_worse_one_is_rolled_back(self):
        self.start({**QUICK, "receipts": {"delay": "30ms", "ratio": "20%"}})
        self.assertIn("canary of all: running", self.list())
        self.assertIn("canary: the first of 30% of the messages", json.dumps(self.explained()))
        self.load("otp")  # takes no part
        self.assertEqual(self.seen_by_gamma(), 0)
        self.load()
        self.ends("rolled_back")
        self.assertIn("delivers", self.canary()["reason"])
        cells = {(c["country"], c["class"]) for c in self.canary()["cells"]}
        self.assertEqual({traffic_class for _, traffic_class in cells}, {"transactional"})
        self.assertIn("rolled_back at", self.list())
        self.assertIn("rolled_back at", json.dumps(self.explained()))
        gauges = {key: value for key, value in metrics(self.world.admin()).items() if "canaries" in key[0]}
        self.assertEqual(total(gauges, "trunkline_canaries", carrier="gamma", route="all", outcome="rolled_back"), 1, gauges)
        self.assertIn('"event":"canary"', self.world.gateway.log_text())

        # It gets nothing more, and a crash changes nothing of that.
        self.world.gateway.kill()
        self.world.gateway.wait()
        self.world.start_gateway()
        wait_until("links are bound", 30, self.world.bound)
        self.load(count=100)
        self.assertEqual(self.canary()["state"], "rolled_back")
        latest = self.world.api().get("/v1/messages?limit=100")["data"]
        self.assertEqual({m["carrier"] for m in latest}, {"alpha"})

        # Changed, it begins anew.
        self.world.write_config(routes=self.routes(share="31%"))
        self.world.gateway.kill(harness.signal.SIGHUP)
        wait_until("it runs", 20, lambda: self.canary()["state"] == "running", step=0.2)
        self.assertEqual(self.canary()["delivers"]["candidate"]["of"], 0)

    def test_one_that_is_as_good_takes_over(self):
        self.start()
        self.load(count=800)
        self.ends("promoted")
        self.assertEqual(self.explained()["plan"], ["gamma", "alpha"])
        self.assertEqual(self.explained("otp")["plan"], ["alpha"])
        self.load(count=100)
        latest = self.world.api().get("/v1/messages?limit=100")["data"]
        self.assertEqual({m["carrier"] for m in latest}, {"gamma"})

    def test_one_that_refuses_is_rolled_back_and_nothing_is_lost(self):
        self.start({**QUICK, "refuse": "ESME_RINVSRCADR"})
        self.load()
        self.ends("rolled_back")
        self.assertIn("takes 0.0%", self.canary()["reason"])
        wait_until("all is delivered", 60,
                   lambda: all(m["status"] == "delivered" for m in harness.all_messages(self.world.api())), step=0.5)


if __name__ == "__main__":
    unittest.main()

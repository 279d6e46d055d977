"""Caps through the real binary: refused with the time at which there is room, sent over the next carrier, and counted on
over a crash."""
# ctest: TIMEOUT 300
import json
import os
import tempfile
import unittest

import harness
from harness import World, wait_until

TO = "+44770090010{}"


class Caps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        cls.addClassCleanup(cls.directory.cleanup)
        cls.world = World(cls.directory.name, [harness.carrier_spec("alpha"), harness.carrier_spec("beta")])
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.start_simulator()
        cls.world.write_config()
        config = json.loads(cls.world.config_path.read_text())
        config["tenants"][0].setdefault("limits", {}).update(
            daily=1000, caps=[{"messages": 6, "per": "hour", "resets": "rolling"}])
        config["countries"] = {**config.get("countries", {}),
                               "FR": {"caps": [{"segments": 2, "by": "recipient", "resets": "rolling"}]}}
        config["routes"] = [{"name": "all", "via": [{"carrier": "alpha"}, {"carrier": "beta"}]}]
        config["carriers"][0]["policy"] = {"caps": [{"segments": 2, "resets": "rolling"}]}
        cls.world.config_path.write_text(json.dumps(config))
        cls.world.start_gateway()
        wait_until("links are bound", 30, cls.world.bound)
        cls.api = cls.world.api()

    def final(self, path):
        now = self.api.get(path)
        return now if now["status"] in harness.FINAL else None

    def send(self, to, **more):
        status, message = self.api.post("/v1/messages", {"to": to, "body": "hello", "class": "otp", **more})
        self.assertEqual(status, 201, message)
        return wait_until("the message ends", 60, lambda: self.final(f"/v1/messages/{message['id']}"))["carrier"]

    def refused(self, rule, to):
        status, problem = self.api.post("/v1/messages", {"to": to, "body": "hello", "class": "otp"})
        self.assertEqual((status, problem["code"]), (429, "rate_limited"), problem)
        self.assertEqual(problem["reasons"][0]["rule"], rule)
        return problem["reasons"][0]["text"]

    def test_caps(self):
        self.assertEqual([self.send(TO.format(i)) for i in range(3)], ["alpha", "alpha", "beta"])
        status, told = self.api.post("/v1/explain", {"to": TO.format(7), "class": "otp"})
        self.assertEqual(status, 200)
        reasons = {reason["text"] for reason in told["reasons"] if reason["rule"] == "limits.tenant_cap"}
        self.assertIn("tenant test may send 6 messages an hour; 3 so far", reasons)
        self.assertIn("tenant test may send 1000 messages a day; 3 so far", reasons)
        self.assertIn("at its cap of 2 segments a day until", told["candidates"][0]["now"])

        self.world.gateway.kill()
        self.world.gateway.wait()
        self.world.start_gateway()
        wait_until("links are bound", 30, self.world.bound)
        type(self).api = self.world.api()

        self.assertEqual(self.send(TO.format(3)), "beta")
        self.assertEqual(self.send("+33612345678", body="x" * 200), "beta")
        self.assertIn("FR gets 2 segments a day by recipient", self.refused("limits.country_cap", "+33612345678"))
        self.send("+33612345679")
        text = self.refused("limits.tenant_cap", TO.format(5))
        self.assertRegex(text, r"^tenant test may send 6 messages an hour, and that is reached; "
                               r"there is room again from 20\S+Z on$")
        counted = [series for series in harness.metrics(self.world.admin())
                   if series[0] == "trunkline_policy_decisions_total" and ("rule", "limits.tenant_cap") in series[1:]]
        self.assertEqual(len(counted), 1, "the metric counts it")


if __name__ == "__main__":
    unittest.main()

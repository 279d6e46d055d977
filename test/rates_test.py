"""How fast a tenant may hand in, and lines that are too long, through the real binary: over REST and over SMPP."""
# ctest: TIMEOUT 300
import datetime
import os
import tempfile
import unittest

import harness
import interop
from bench import HASH
from harness import World, wait_until
from smpp_esme_test import MESSAGE, OK, RTHROTTLED

TO = "+447700900100"


class Gateway(unittest.TestCase):
    carrier = {}
    config = {}
    tenant = {}

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        cls.addClassCleanup(directory.cleanup)
        listen = {name: {"address": "127.0.0.1:0"} for name in ("http", "smpp", "admin")}
        base = harness.gateway_config("x", {"alpha": "h:1"})["tenants"][0]
        tenant = {**base, "smpp": [{"system_id": "app", "password_hash": HASH, "class": "support"}], **cls.tenant}
        cls.world = World(directory.name, [harness.carrier_spec("alpha")], listen=listen, tenants=[tenant], **cls.config)
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.start(smpp=cls.carrier)
        wait_until("links are bound", 30, cls.world.bound)
        cls.api = cls.world.api()

    def post(self, traffic_class, **more):
        body = {"to": TO, "body": "hello", "class": traffic_class, **more}
        status, answer, headers = self.api.request("POST", "/v1/messages", body)
        if status == 201:
            return None
        self.assertEqual((status, answer["code"]), (429, "rate_limited"), answer)
        self.assertEqual(len(answer["reasons"]), 1)
        return {**answer["reasons"][0], "after": int(headers["Retry-After"])}


class Rates(Gateway):
    tenant = {"limits": {"burst": "1h", "rate": "1000/h",
                         "classes": {"support": {"rate": "3/h", "burst": "1h"},
                                     "marketing": {"segments_rate": "5/h", "burst": "1h"}}}}

    def test_messages_of_a_class(self):
        esme = interop.Esme()
        self.addCleanup(esme.close)
        self.assertEqual(esme.bind("a", self.world.gateway.ready["smpp"], "app")["command_status"], OK)
        self.assertIsNone(self.post("support"))
        _, told = self.api.post("/v1/explain", {"to": TO, "class": "support"})
        self.assertIn("of class support", [r["text"] for r in told["reasons"] if r["rule"] == "limits.tenant_rate"][-1])
        self.assertIsNone(self.post("support"))
        self.assertEqual(esme.call("a", "submit_sm", **MESSAGE)["command_status"], OK)
        self.assertEqual(esme.call("a", "submit_sm", **MESSAGE)["command_status"], RTHROTTLED)
        refused = self.post("support")
        self.assertEqual(refused["rule"], "limits.tenant_rate")
        self.assertRegex(refused["text"], r"^tenant test may send 0\.0008\d* messages a second of class support$")
        self.assertTrue(1000 <= refused["after"] <= 1200, refused)
        _, told = self.api.post("/v1/explain", {"to": TO, "class": "support"})
        self.assertEqual(told["verdict"], "refuse")
        self.assertIsNone(self.post("transactional"), "other classes go on")

    def test_segments_of_a_class(self):
        self.assertIsNone(self.post("marketing", body="x" * 200))
        self.assertIsNone(self.post("marketing", body="x" * 500))  # 4, of which 3 were left
        refused = self.post("marketing")
        self.assertIn("segments a second of class marketing", refused["text"])
        self.assertTrue(700 <= refused["after"] <= 1500, refused)


class TimesToLive(Gateway):
    config = {"classes": {"support": {"ttl": "30m", "ttl_max": "2h"}}}

    def lives(self, **more):
        status, message, _ = self.api.request("POST", "/v1/messages", {"to": TO, "body": "x", "class": "support", **more})
        self.assertEqual(status, 201, message)
        at = [datetime.datetime.fromisoformat(message[key]) for key in ("created_at", "expires_at")]
        return (at[1] - at[0]).total_seconds()

    def test_are_what_is_asked_for_and_at_most_what_the_class_allows(self):
        self.assertEqual([self.lives(), self.lives(ttl="1h"), self.lives(ttl="1d")], [1800, 3600, 7200])


class OneTimePasswords(Gateway):
    # Nothing said of limits: 100 a second, whoever sends them.
    tenant = {"limits": {}}

    def test_are_bounded_by_default(self):
        batch = {"messages": [{"to": TO, "body": "hello", "class": "otp"}] * 1000}
        status, answer = self.api.post("/v1/messages/batch", batch)
        self.assertEqual(status, 200)
        self.assertEqual({r["status"] for r in answer["results"]}, {201})
        refused = self.post("otp")
        self.assertIn("100 messages a second of class otp", refused["text"])
        self.assertTrue(1 <= refused["after"] <= 10, refused)


class TooMuch(Gateway):
    """The carrier takes 20 a second; marketing waits for two seconds at most, one-time passwords for a minute."""
    carrier = {"rate": "20/s"}
    config = {"classes": {"marketing": {"max_wait": "2s"}, "support": {"max_wait": "20s"}, "otp": {"max_wait": "1m"}}}

    def test_the_least_urgent_is_refused_and_comes_again(self):
        refused = None
        for _ in range(5_000):
            refused = self.post("marketing")
            if refused:
                break
        self.assertEqual(refused["rule"], "limits.overload")
        self.assertRegex(refused["text"], r"^it would wait about \d+s for its turn at the carriers of its route, "
                                          r"and may wait for 2s at most; try again later$")
        self.assertTrue(1 <= refused["after"] <= 2, refused)
        self.assertIsNone(self.post("support"))
        self.assertIsNone(self.post("otp"))
        shed = harness.total(harness.metrics(self.world.admin()), "trunkline_shed_total", **{"class": "marketing"})
        self.assertGreaterEqual(shed, 1)
        wait_until("the line is shorter", 60, lambda: self.post("marketing") is None)


class Full(Gateway):
    """Nothing leaves, and a thousand messages are all that memory is for."""
    config = {"limits": {"messages": 1000}}

    def test_the_least_urgent_is_refused(self):
        self.assertEqual(self.world.control().post("/v1/carriers/alpha/stop", {})[0], 200)
        carriers = lambda: self.world.admin().get("/v1/carriers")["data"]
        wait_until("no link is up", 30, lambda: all(c["links_up"] == 0 for c in carriers()))
        batch = {"messages": [{"to": TO, "body": "hello", "class": "marketing"}] * 1000}
        status, answer = self.api.post("/v1/messages/batch", batch)
        self.assertEqual({r["status"] for r in answer["results"]}, {201}, answer)
        refused = self.post("marketing")
        self.assertEqual(refused["rule"], "limits.overload")
        self.assertIn("the gateway is full for this class", refused["text"])
        self.assertEqual(refused["after"], 5)
        self.assertIsNone(self.post("support"))
        self.assertIsNone(self.post("otp"))


class DiskLow(Gateway):
    """What counts as little is configured: here it is raised, as if the disk had filled."""

    def reload(self, keep_mb):
        self.world.write_config(smpp=self.carrier, limits={"disk_free_mb": keep_mb})
        self.world.gateway.kill(harness.signal.SIGHUP)

    def closed(self):
        return harness.total(harness.metrics(self.world.admin()), "trunkline_store_closed")

    def test_classes_are_closed_from_the_least_urgent_up(self):
        about = os.statvfs(self.world.directory)
        free_mb = (about.f_bavail * about.f_frsize) >> 20
        # Free is 2/3, 3/8 and 1/8 of what is kept: others may write to the disk meanwhile.
        steps = [(free_mb * 3 // 2, 1, {"marketing"}), (free_mb * 8 // 3, 2, {"marketing", "support", "transactional"}),
                 (free_mb * 8, 3, {"marketing", "support", "transactional", "otp"})]
        for keep_mb, level, refused in steps:
            self.reload(keep_mb)
            wait_until(f"level {level}", 30, lambda: self.closed() == level)
            for traffic_class in ("marketing", "support", "transactional", "otp"):
                answer = self.post(traffic_class)
                self.assertEqual(answer is not None, traffic_class in refused, (level, traffic_class, answer))
                if answer:
                    self.assertEqual((answer["rule"], answer["after"]), ("limits.overload", 30))
                    self.assertRegex(answer["text"], r"^\d+ MB are left on the disk of the store: ")
        _, told = self.api.post("/v1/explain", {"to": TO, "class": "otp"})
        self.assertEqual(told["verdict"], "refuse")
        self.assertIn("refused is everything", str(told["reasons"]))
        self.reload(max(1, free_mb // 16))
        wait_until("open again", 30, lambda: self.closed() == 0)
        self.assertIsNone(self.post("marketing"))


if __name__ == "__main__":
    unittest.main()

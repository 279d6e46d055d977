"""Operators' orders about carriers: suspend, drain, resume; durable, visible, with an end."""
# ctest: TIMEOUT 300
import os
import tempfile
import unittest
from pathlib import Path

import harness
from harness import ADMIN_TOKEN, World, metrics, run, total, wait_until


class Orders(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        self.addCleanup(temporary.cleanup)
        self.world = World(Path(temporary.name), [harness.carrier_spec("alpha"), harness.carrier_spec("beta")])
        self.addCleanup(self.world.__exit__)
        self.world.start()
        wait_until("links are bound", 30, self.world.bound)

    def carrier(self, *arguments, token=ADMIN_TOKEN):
        return run("carrier", *arguments, "--admin", f"http://{self.world.gateway.ready['admin']}",
                   env={**os.environ, "TRUNKLINE_ADMIN_TOKEN": token})

    def send(self, to="+447700900123"):
        status, message = self.world.api().post("/v1/messages", {"to": to, "body": "hello", "class": "otp"})
        self.assertEqual(status, 201, message)
        return message["id"]

    def events(self, message):
        return self.world.api().get(f"/v1/messages/{message}/events")["data"]

    def carrier_of(self, message):
        def submitted():
            at = [e["carrier"] for e in self.events(message) if e.get("cause") == "carrier_accepted"]
            return at[0] if at else None
        wait_until("it is submitted", 20, submitted)
        return submitted()

    def explained(self):
        status, body = self.world.api().post("/v1/explain", {"to": "+447700900123", "class": "otp"})
        self.assertEqual(status, 200, body)
        return str(body)

    def test_suspend_outlives_a_crash_and_ends_by_resume(self):
        self.assertEqual(self.carrier_of(self.send()), "alpha")
        done = self.carrier("suspend", "alpha", "--reason", "delivers nothing, ticket 4711", "--for", "2h")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('"kind":"suspend","carrier":"alpha","country":null', done.stdout)
        self.assertEqual(self.carrier_of(self.send()), "beta")
        self.assertIn("suspended by t until", self.explained())

        self.world.gateway.kill()
        self.world.gateway.wait()
        self.world.start_gateway()
        wait_until("links are bound", 30, self.world.bound)
        wait_until("it is told", 10, lambda: "ticket 4711" in self.carrier("list").stdout)
        self.assertEqual(total(metrics(self.world.admin()), "trunkline_carrier_orders", carrier="alpha"), 1)
        self.assertEqual(self.carrier_of(self.send()), "beta")

        done = self.carrier("resume", "alpha")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.carrier_of(self.send()), "alpha")
        wait_until("it is told", 10, lambda: "ticket" not in self.carrier("list").stdout)

    def test_one_country_and_nobody_left(self):
        for carrier in ("alpha", "beta"):
            done = self.carrier("suspend", carrier, "--country", "GB", "--reason", "regulator")
            self.assertEqual(done.returncode, 0, done.stderr)
        message = self.send()
        wait_until("it says why it waits", 10, lambda: self.events(message)[-1]["cause"] == "suspended")
        self.assertEqual(self.carrier_of(self.send("+12025550123")), "alpha")  # another country
        self.assertEqual(self.carrier("resume", "beta").returncode, 0)
        self.assertEqual(self.carrier_of(message), "beta")

    def test_what_is_wrong_is_said(self):
        for arguments, code, says in (
                (["suspend", "gamma", "--reason", "x"], 1, "no such carrier"),
                (["suspend", "alpha", "--reason", "x", "--for", "31d"], 1, "for must be 1m to 30d"),
                (["suspend", "alpha"], 3, "--reason is required"),
                (["suspend", "a/b", "--reason", "x"], 3, "a carrier's name")):
            done = self.carrier(*arguments)
            self.assertIn(says, done.stderr, arguments)
            self.assertNotEqual(done.returncode, 0)
        self.assertIn("admin token", self.carrier("list", token="wrong").stderr)


if __name__ == "__main__":
    unittest.main()

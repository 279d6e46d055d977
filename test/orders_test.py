"""Operators' orders about carriers: suspend, drain, resume; durable, visible, with an end."""
# ctest: TIMEOUT 300
import json
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

    def queue(self, *arguments, token=ADMIN_TOKEN):
        return run("queue", *arguments, "--admin", f"http://{self.world.gateway.ready['admin']}",
                   env={**os.environ, "TRUNKLINE_ADMIN_TOKEN": token})

    def waiting(self, *arguments):
        done = self.queue("list", "--json", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["data"]

    def message(self, traffic_class, to="+447700900123"):
        status, message = self.world.api().post("/v1/messages", {"to": to, "body": "hello", "class": traffic_class})
        self.assertEqual(status, 201, message)
        return message["id"]

    def test_what_waits_is_counted_stopped_and_taken_out(self):
        done = self.queue("suspend", "--class", "support", "--reason", "ticket 1", "--for", "2h")
        self.assertEqual(done.returncode, 0, done.stderr)
        held = [self.message("support", f"+44770090010{i}") for i in range(5)]
        other = self.message("transactional")
        self.assertEqual(self.carrier_of(other), "alpha")
        self.assertEqual([(row["class"], row["tenant"], row["country"], row["queued"])
                          for row in self.waiting("--by", "class,tenant,country")], [("support", "test", "GB", 5)])
        self.assertEqual(self.waiting("--by", "class", "--class", "otp"), [])
        wait_until("it is told", 10, lambda: "ticket 1" in self.queue("orders").stdout)

        done = self.queue("bounce", "--class", "support", "--country", "FR", "--reason", "none is there")
        self.assertEqual(json.loads(done.stdout), {"found": 0, "changed": 0})
        self.assertNotEqual(self.queue("purge", "--reason", "all of it").returncode, 0)
        self.assertNotEqual(self.queue("purge", "--class", "support", "--reason", "x", token="wrong").returncode, 0)
        done = self.queue("purge", "--class", "support", "--older-than", "0ms", "--reason", "called off, ticket 2")
        self.assertEqual(json.loads(done.stdout), {"found": 5, "changed": 5}, done.stderr)
        for message in held:
            last = self.events(message)[-1]
            self.assertEqual((last["state"], last["cause"], last["raw"]), ("canceled", "purged", "called off, ticket 2"))

        # It stands over a crash, and what was taken out stays out.
        late = self.message("support")
        self.world.gateway.kill()
        self.world.gateway.wait()
        self.world.start_gateway()
        wait_until("links are bound", 30, self.world.bound)
        self.assertEqual(sum(row["queued"] for row in self.waiting("--by", "class")), 1)
        self.assertEqual(self.queue("resume", "--class", "support").returncode, 0)
        self.assertEqual(self.carrier_of(late), "alpha")

        done = run("audit", "--admin", f"http://{self.world.gateway.ready['admin']}",
                   env={**os.environ, "TRUNKLINE_ADMIN_TOKEN": ADMIN_TOKEN})
        told = [(line["action"], line["stage"], line["by"]) for line in json.loads(done.stdout)["data"]]
        self.assertEqual(told, [("resume", "asked", "t"), ("purge", "done", "t"), ("purge", "asked", "t"),
                                ("bounce", "done", "t"), ("bounce", "asked", "t"), ("suspend", "asked", "t")])

    def test_what_waits_for_one_carrier_goes_by_another(self):
        for name in ("alpha", "beta"):
            self.assertEqual(self.carrier("suspend", name, "--reason", "both stand", "--for", "1h").returncode, 0)
        waiting = self.message("transactional")
        # Nothing waits in a line: both are closed.
        done = self.queue("move", "--carrier", "alpha", "--to", "beta", "--reason", "x")
        self.assertEqual(json.loads(done.stdout), {"found": 0, "changed": 0}, done.stderr)
        self.assertEqual(self.carrier("resume", "beta").returncode, 0)
        self.assertEqual(self.carrier_of(waiting), "beta")


if __name__ == "__main__":
    unittest.main()

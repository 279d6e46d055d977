"""Two cells on one machine, each with carriers of its own and each a carrier to the other: messages go through with
receipts back, never in circles, and the death of one loses nothing of the other's."""
# ctest: TIMEOUT 300
import os
import tempfile
import unittest
from pathlib import Path

import harness
from bench import HASH
from harness import World, metrics, total, wait_until

US, GB, SE = "+12025550143", "+447700900123", "+46701740605"


class Cell(World):
    """A gateway, its simulated carrier, and the other cell as a carrier."""

    def __init__(self, directory, name, carrier, rate):
        directory.mkdir()
        super().__init__(directory, [harness.carrier_spec(carrier)])
        self.name, self.carrier, self.rate = name, carrier, rate
        self.port = harness.free_port()  # it comes back on the same one

    def start_with(self, other, routes):
        self.start_simulator()
        config = harness.gateway_config(self.directory / "data",
                                        {self.carrier: {"address": self.simulator.ready["carriers"][self.carrier],
                                                        "rate": self.rate},
                                         "across": {"address": f"127.0.0.1:{other.port}", "region": other.name,
                                                    "system_id": self.name, "password": "demopass", "window": 200}})
        config["node"] = {"name": self.name, "region": self.name}
        config["listen"]["smpp"] = {"address": f"127.0.0.1:{self.port}"}
        config["carriers"][1]["cell"] = other.name
        config["routes"] = routes
        config["tenants"][0]["smpp"] = [{"system_id": other.name, "password_hash": HASH, "cell": other.name,
                                         "receipts": {"window": 200}}]
        self.config_path.write_text(harness.json.dumps(config, indent=1))
        self.start_gateway()

    def is_up(self, carrier):
        return total(metrics(self.admin()), "trunkline_carrier_up", carrier=carrier) > 0

    def message(self, number):
        return self.api().get(f"/v1/messages/{number}")

    def send(self, to, **more):
        status, message = self.api().post("/v1/messages", {"to": to, "body": "hello", **more})
        self.test.assertEqual(status, 201, message)
        return message["id"]


def route(name, country, *carriers):
    match = {"match": {"country": country}} if country else {}
    return {"name": name, **match, "via": [{"carrier": c} for c in carriers]}


class Cells(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        self.addCleanup(temporary.cleanup)
        self.eu = Cell(Path(temporary.name) / "eu", "eu", "alpha", "1000/s")
        self.us = Cell(Path(temporary.name) / "us", "us", "west", "60/s")
        for cell, other, routes in (
                # What goes to SE is pushed from one to the other: a circle, but for what they tell each other.
                (self.eu, self.us, [route("usa", "US", "across"), route("sweden", "SE", "across", "alpha"),
                                    route("rest", None, "alpha")]),
                (self.us, self.eu, [route("sweden", "SE", "across"), route("rest", None, "across", "west")])):
            cell.test = self
            self.addCleanup(cell.__exit__)
            cell.start_with(other, routes)
        for cell in (self.eu, self.us):
            wait_until("cells are bound to each other", 30, lambda c=cell: c.is_up("across") and c.is_up(c.carrier))

    def ended(self, cell, number):
        wait_until("it is delivered", 30, lambda: cell.message(number)["status"] == "delivered")
        return cell.message(number)

    def test_through_with_the_receipt_back_and_never_in_circles(self):
        message = self.ended(self.eu, self.eu.send(US, **{"class": "otp"}))
        self.assertEqual(message["carrier"], "across")
        passed = next(harness.all_messages(self.us.api()))
        self.assertEqual((passed["carrier"], passed["status"]), ("west", "delivered"))
        decision = self.us.api().get(f"/v1/messages/{passed['id']}/decision")
        self.assertIn("routing.loop", str(decision))

        # Across there is only the way back: the other cell refuses, and the message goes the next way.
        message = self.ended(self.eu, self.eu.send(SE))
        self.assertEqual(message["carrier"], "alpha")
        self.assertEqual(len(list(harness.all_messages(self.us.api()))), 1)

    def test_the_death_of_one(self):
        accepted = self.eu.directory / "accepted.ndjson"
        report = self.eu.load(count=600, rate=600, connections=4, ledger=accepted, to_prefix="+1202555")
        self.assertEqual(report["acknowledged"], 600, report)
        report = self.eu.load(count=200, rate=400, connections=4, ledger=accepted, to_prefix="+44770090")
        self.assertEqual(report["acknowledged"], 200, report)
        wait_until("the other cell has taken them", 30,
                   lambda: not list(harness.all_messages(self.eu.api(), "&status=queued")))
        self.us.gateway.kill()
        self.us.gateway.wait()
        wait_until("it is seen", 10, lambda: not self.eu.is_up("across"))

        # This one's own go on; what the dead one holds is told, and who comes now waits.
        self.ended(self.eu, self.eu.send(GB, **{"class": "otp"}))
        held = [m for m in harness.all_messages(self.eu.api()) if m["status"] in ("submitted", "uncertain", "queued",
                                                                                  "submitting")]
        self.assertTrue(held)
        self.assertEqual({m["carrier"] for m in held if m["carrier"]}, {"across"})
        # As a number, too: what it has taken and said nothing of since.
        count = sum(m["status"] in ("submitted", "uncertain") for m in held if m["carrier"] == "across")

        def across():
            return next(c for c in self.eu.admin().get("/v1/carriers")["data"] if c["name"] == "across")
        wait_until("it is counted", 10, lambda: across()["receipts_awaited"] == count)
        self.assertGreater(count, 0)
        self.assertTrue(across()["receipts_awaited_since"])
        samples = metrics(self.eu.admin())
        self.assertEqual(total(samples, "trunkline_receipts_awaited", carrier="across"), count)
        self.assertGreater(total(samples, "trunkline_receipts_awaited_oldest_seconds", carrier="across"), 0)
        shown = harness.run("carrier", "list", "--admin", f"http://{self.eu.gateway.ready['admin']}",
                            env={"TRUNKLINE_ADMIN_TOKEN": harness.ADMIN_TOKEN})
        self.assertIn(f"holds {count} whose receipts are outstanding", shown.stdout)
        late = self.eu.send(US, ttl=600)
        wait_until("it says why it waits", 10, lambda: self.eu.api().get(f"/v1/messages/{late}/events")["data"][-1]
                   ["cause"] in ("no_link", "silent"))

        self.us.start_gateway()
        self.ended(self.eu, late)
        wait_until("all of it ends", 60, lambda: not list(harness.unsettled(self.eu.api())))
        wait_until("it holds nothing", 10, lambda: across()["receipts_awaited"] == 0)
        for cell in (self.eu, self.us):
            cell.simulator.stop()  # it writes what it holds of its ledger
        lines = self.eu.directory / "both.ndjson"
        lines.write_bytes(self.eu.ledger.read_bytes() + self.us.ledger.read_bytes())
        messages = self.eu.directory / "messages.ndjson"
        harness.write_messages(messages, [*harness.all_messages(self.eu.api()),
                                          *harness.all_messages(self.us.api())])
        code, verdict, error = harness.verify(accepted, lines, messages=messages)
        self.assertEqual((verdict["accepted"], verdict["lost"]), (800, 0), error)
        states = [m["status"] for m in harness.all_messages(self.eu.api())]
        self.assertEqual(states.count("delivered"), len(states), {s: states.count(s) for s in set(states)})


if __name__ == "__main__":
    unittest.main()

"""A message from the API to the carrier and back, and its whole story as every surface tells it."""
import json
import os
import tempfile
import unittest

import harness
from harness import FINAL, World, wait_until

TEXTS = {
    "plain": "Your code is 123456",
    "extension table": "[brackets] {braces} ~tilde^ \\ | €5",
    "accents of the default alphabet": "Ünïcode? ñò: àèìòù ÄÖÑÜ ß Δ Σ £ ¥ §".replace("ï", "i").replace("ò:", "ò:"),
    "ucs2": "Código – Ελληνικά кириллица 漢字",
    "surrogates": "party 🎉🎉 family 👨‍👩‍👧‍👦",
    "long": "All work and no play makes Jack a dull boy. " * 10,
    "long ucs2": "Всё хорошо, прекрасная маркиза. " * 10,
    "escape at the seam": "x" * 152 + "€" + "y" * 20,
}


class Story(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        cls.addClassCleanup(cls.directory.cleanup)
        cls.world = World(cls.directory.name, [harness.carrier_spec("alpha"), harness.carrier_spec("beta")])
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.start(smpp={"reconnect_max": "200ms"}, currency="EUR", routes=[
            {"name": "default", "via": [{"carrier": "alpha", "price": 0.02}, {"carrier": "beta", "price": 0.035}]}])
        wait_until("links are bound", 30, cls.world.bound)
        cls.api = cls.world.api()

    def tearDown(self):
        for name in ("alpha", "beta"):
            self.world.control().request("DELETE", f"/v1/carriers/{name}/faults")

    def send(self, headers=None, **message):
        body = {"to": "+447700900123", "body": "hello", **message}
        status, answer = self.api.post("/v1/messages", body, headers)
        self.assertEqual(status, 201, answer)
        return answer

    def state(self, message, states=FINAL, seconds=30):
        path = f"/v1/messages/{message['id']}"

        def look():
            now = self.api.get(path)
            return now if now["status"] in states else None
        return wait_until(f"{path} in {states}", seconds, look)

    def events(self, message):
        return self.api.get(f"/v1/messages/{message['id']}/events")["data"]

    def seen_by_carriers(self, token, count=1):
        def look():
            lines = [line for line in self.world.carrier_lines() if token in line["text"]]
            return lines if len(lines) >= count else None
        return wait_until(f"{count} lines with {token} in the carriers' ledger", 10, look)

    def test_from_accepted_to_delivered(self):
        message = self.send(body="Your PIN is 1234", **{"class": "otp", "from": "Acme"},
                            metadata={"order": "77"})
        self.assertRegex(message["id"], "^msg_[0-9a-f]{32}$")
        self.assertEqual((message["to"], message["from"], message["class"], message["segments"]),
                         ("+447700900123", "Acme", "otp", 1))
        done = self.state(message)
        self.assertEqual((done["status"], done["carrier"], done["attempts"]), ("delivered", "alpha", 1))
        self.assertFalse(done["possible_duplicate"])
        self.assertEqual(done["metadata"], {"order": "77"})
        self.assertLessEqual(done["created_at"], done["submitted_at"])
        self.assertLessEqual(done["submitted_at"], done["final_at"])
        events = self.events(message)
        self.assertEqual([e["seq"] for e in events], list(range(events[0]["seq"], events[0]["seq"] + len(events))))
        states = [e["state"] for e in events]
        for earlier, later in zip(states, states[1:]):
            self.assertLessEqual(rank(earlier), rank(later), states)
        self.assertEqual((states[0], states[-1]), ("accepted", "delivered"))
        self.assertIn("stat:DELIVRD", events[-1]["raw"])
        line = self.seen_by_carriers("Your PIN is 1234")[0]
        self.assertEqual((line["carrier"], line["to"], line["from"], line["resp"]),
                         ("alpha", "+447700900123", "Acme", "ok"))

    def test_every_text_arrives_as_it_was_written(self):
        for name, text in TEXTS.items():
            with self.subTest(name):
                text = f"{name}: {text}"
                message = self.send(body=text)
                self.assertEqual(self.state(message)["status"], "delivered")
                line = self.seen_by_carriers(f"{name}: ")[0]
                self.assertEqual(line["text"], text)
                encoded = json.loads(harness.run("encode", "--json", "--text", text).stdout)
                self.assertEqual(message["segments"], len(encoded["segments"]))

    def test_the_list_finds_it(self):
        message = self.send(to="+12015550142", **{"class": "support"})
        self.state(message)
        for query in ("to=%2B12015550142", "to=%2B12015550142&status=delivered", "to=%2B12015550142&class=support"):
            page = self.api.get(f"/v1/messages?{query}")
            self.assertEqual([m["id"] for m in page["data"]], [message["id"]], query)
        self.assertEqual(self.api.get("/v1/messages?to=%2B12015550142&class=otp")["data"], [])

    def test_pages_have_every_message_once_and_the_newest_first(self):
        sent = [self.send(to="+12015550143")["id"] for _ in range(7)]
        got, cursor = [], ""
        while cursor is not None:
            page = self.api.get(f"/v1/messages?to=%2B12015550143&limit=3{cursor}")
            got += [m["id"] for m in page["data"]]
            cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
        self.assertEqual(got, sent[::-1])

    def test_one_key_is_one_message(self):
        headers = {"Idempotency-Key": "order-1"}
        body = {"to": "+447700900123", "body": "only once"}
        status, first, fields = self.api.request("POST", "/v1/messages", body, headers)
        self.assertEqual((status, fields["Idempotent-Replayed"]), (201, None))
        status, again, fields = self.api.request("POST", "/v1/messages", body, headers)
        self.assertEqual((status, again, fields["Idempotent-Replayed"]), (201, first, "true"))
        status, problem = self.api.post("/v1/messages", {**body, "body": "another"}, headers)
        self.assertEqual((status, problem["code"]), (422, "idempotency_mismatch"))
        self.state(first)
        self.assertEqual(len(self.seen_by_carriers("only once")), 1)

    def test_a_batch(self):
        status, answer = self.api.post("/v1/messages/batch", {"messages": [
            {"to": "+447700900123", "body": "in a batch"}, {"to": "nobody", "body": "x"},
            {"to": "+447700900124", "body": "in a batch too"}]})
        self.assertEqual(status, 200)
        self.assertEqual([(r["index"], r["status"]) for r in answer["results"]], [(0, 201), (1, 400), (2, 201)])
        self.assertEqual(answer["results"][1]["problem"]["errors"][0]["pointer"],
                         "/messages/1/to")
        for i in (0, 2):
            self.assertEqual(self.state(answer["results"][i]["message"])["status"], "delivered")

    def test_a_refusal_goes_to_the_next_carrier(self):
        self.world.faults("alpha", {"refuse": "ESME_RSUBMITFAIL"})
        message = self.send(body="by the other road", **{"class": "otp"})
        done = self.state(message)
        self.assertEqual((done["status"], done["carrier"]), ("delivered", "beta"))
        self.assertFalse(done["possible_duplicate"])
        def by_beta():
            lines = self.seen_by_carriers("by the other road", 2)
            return [line["resp"] for line in lines if line["carrier"] == "beta"]
        wait_until("beta's line in the ledger", 10, by_beta)  # alpha was asked twice
        self.assertEqual(by_beta(), ["ok"])
        self.assertTrue(any("ESME_RSUBMITFAIL" in json.dumps(e) for e in self.events(message)))

    def test_a_negative_receipt_ends_it(self):
        self.world.faults("alpha", {"receipts": {"ratio": 0, "stat": "UNDELIV", "err": 27}})
        done = self.state(self.send())
        self.assertEqual(done["status"], "undelivered")
        self.assertIn("err:027", done["error"]["raw"])

    def test_it_waits_for_a_carrier_and_can_be_canceled(self):
        for name in ("alpha", "beta"):
            self.world.control().post(f"/v1/carriers/{name}/stop")
        wait_until("carriers down", 10, lambda: not any(
            c["up"] for c in self.world.admin().get("/v1/carriers")["data"]))
        try:
            waiting, canceled = self.send(body="patience"), self.send(body="never mind")
            self.assertEqual(self.state(waiting, {"queued"})["status"], "queued")
            status, answer = self.api.post(f"/v1/messages/{canceled['id']}/cancel")
            self.assertEqual((status, answer["status"]), (200, "canceled"))
            status, problem = self.api.post(f"/v1/messages/{canceled['id']}/cancel")
            self.assertEqual((status, problem["code"]), (409, "not_cancelable"))
            soon = self.send(body="too late", ttl=1)
            self.assertEqual(self.state(soon)["status"], "expired")
        finally:
            for name in ("alpha", "beta"):
                self.world.control().post(f"/v1/carriers/{name}/start")
        self.assertEqual(self.state(waiting)["status"], "delivered")
        texts = [line["text"] for line in self.world.carrier_lines()]
        self.assertNotIn("never mind", texts)
        self.assertNotIn("too late", texts)

    def test_the_commands_tell_the_same(self):
        url = ["--url", f"http://{self.world.gateway.ready['http']}", "--key", harness.KEY]
        sent = harness.run("send", *url, "--to", "+447700900125", "--body", "from the shell", "--json")
        self.assertEqual(sent.returncode, 0, sent.stderr)
        message = json.loads(sent.stdout)
        self.state(message)
        trace = harness.run("trace", *url, message["id"])
        self.assertEqual(trace.returncode, 0, trace.stderr)
        for word in ("accepted", "submitted", "delivered", "alpha"):
            self.assertIn(word, trace.stdout)
        self.assertEqual(harness.run("trace", *url, "msg_" + "0" * 32).returncode, 1)

    def test_the_decision_is_kept_with_the_message(self):
        message = self.send(**{"class": "otp"})
        done = self.state(message)
        decision = self.api.get(f"/v1/messages/{message['id']}/decision")
        self.assertEqual((decision["message_id"], decision["class"], decision["country"]), (message["id"], "otp", "GB"))
        self.assertTrue(decision["config_is_current"])
        self.assertTrue(decision["route"])
        first = decision["candidates"][0]
        self.assertEqual((first["rank"], first["carrier"]), (1, done["carrier"]))
        self.assertEqual([(a["attempt"], a["state"]) for a in first["attempts"]], [(1, "delivered")])
        self.assertIn("stat:DELIVRD", first["attempts"][0]["raw"])
        url = ["--url", f"http://{self.world.gateway.ready['http']}", "--key", harness.KEY]
        told = harness.run("explain", *url, message["id"])
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertIn(f"route {decision['route']} of configuration {decision['config_version']}\n1. alpha (", told.stdout)
        self.assertEqual(harness.run("explain", *url, "msg_" + "0" * 32).returncode, 1)

    def test_traffic_is_exported_without_its_texts(self):
        for _ in range(3):
            self.state(self.send(to="+12015550177", body="żółw " * 20, **{"class": "support"}))
        exported = harness.run("export-traffic", "--url", f"http://{self.world.gateway.ready['http']}", "--key",
                               harness.KEY, "--last", "1h", "--tenant", "demo")
        self.assertEqual(exported.returncode, 0, exported.stderr)
        rows = [json.loads(line) for line in exported.stdout.splitlines()]
        ours = [row for row in rows if row["to"] == "+12015550177"]
        self.assertEqual(len(ours), 3)
        self.assertEqual({(r["class"], r["tenant"], r["segments"], r["unicode"]) for r in ours},
                         {("support", "demo", 2, True)})
        self.assertNotIn("żółw", exported.stdout)
        config = self.world.config_path
        same = harness.run("diff", config, config, "--traffic", "-", "--json", input=exported.stdout)
        self.assertEqual(same.returncode, 0, same.stderr)
        self.assertEqual(json.loads(same.stdout)["messages"], len(rows))
        self.assertEqual({(r["carrier"], r["status"]) for r in ours}, {("alpha", "delivered")})
        self.assertTrue(all(0 <= r["seconds"] < 60 for r in ours), ours)

    def test_traffic_of_the_gateway_is_asked_for_directly(self):
        for _ in range(2):
            self.state(self.send(to="+12015550178"))
        config = self.world.config_path
        last = ["--traffic", "last-1h", "--url", f"http://{self.world.gateway.ready['http']}", "--key", harness.KEY]
        same = harness.run("diff", config, config, *last, "--json")
        self.assertEqual(same.returncode, 0, same.stderr)
        self.assertGreaterEqual(json.loads(same.stdout)["messages"], 2)
        report = harness.run("check", "--report", "--json", *last, config)
        self.assertGreaterEqual({t["country"]: t["messages"] for t in json.loads(report.stdout)["traffic"]}["US"], 2)
        prices = self.world.directory / "prices.csv"
        prices.write_text("country,price\n*,0.01\n")
        told = harness.run("cost", *last, "--prices", prices, "--json")
        self.assertEqual(told.returncode, 0, told.stderr)
        alpha = next(c for c in json.loads(told.stdout)["carriers"] if c["carrier"] == "alpha")
        self.assertGreaterEqual(alpha["delivered"], 2)
        self.assertGreaterEqual(alpha["receipt_p95_seconds"], alpha["receipt_p50_seconds"])
        # What is wrong is told, each with its own exit code.
        for more, code, said in [([*last[2:4], "--key", "nobodys"], 2, "no tenant of the configuration has this key"),
                                 (last[2:4], 2, "give --key KEY"),
                                 (["--url", "http://127.0.0.1:1", "--key", harness.KEY], 3, "http://127.0.0.1:1: ")]:
            wrong = harness.run("diff", config, config, "--traffic", "last-1h", *more)
            self.assertEqual(wrong.returncode, code, wrong.stderr)
            self.assertIn(said, wrong.stderr)
        wrong = harness.run("diff", config, config, "--traffic", "last-year", *last[2:])
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("--traffic last-year: ", wrong.stderr)

    def test_the_metrics_count_it(self):
        before = harness.metrics(self.world.admin())
        self.state(self.send(**{"class": "otp"}))
        accepted = "trunkline_messages_accepted_total"

        def counted():
            now = harness.metrics(self.world.admin())
            return (harness.total(now, accepted, **{"class": "otp"}) >
                    harness.total(before, accepted, **{"class": "otp"})
                    and harness.total(now, "trunkline_receipts_total", state="delivered") >
                    harness.total(before, "trunkline_receipts_total", state="delivered"))
        wait_until("metrics", 10, counted)

    def test_what_carriers_took_is_counted_with_its_price(self):
        def cost():
            now = harness.metrics(self.world.admin())
            return [round(harness.total(now, "trunkline_carrier_cost_total", carrier=name, country="GB", currency="EUR"), 6)
                    for name in ("alpha", "beta")]
        alpha, beta = cost()
        message = self.state(self.send(body="x" * 400))
        self.assertEqual((message["segments"], message["price"]["amount"]), (3, "0.060000"))
        wait_until("three segments", 10, lambda: cost() == [round(alpha + 0.06, 6), beta])
        # What is refused costs nothing.
        self.world.faults("alpha", [{"refuse": {"status": "ESME_RINVSRCADR", "ratio": 1}}])
        self.assertEqual(self.state(self.send())["carrier"], "beta")
        wait_until("one more of the other", 10, lambda: cost() == [round(alpha + 0.06, 6), round(beta + 0.035, 6)])

    def test_the_log_has_no_number_and_no_text(self):
        self.state(self.send(to="+447700900987", body="a secret to keep"))
        log = self.world.gateway.log_text()
        self.assertNotIn("900987", log)
        self.assertNotIn("secret to keep", log)


class ReceiptForms(unittest.TestCase):
    """In text, in TLVs, in another case, before the answer or after: receipts find their message."""

    def test_receipts_find_their_message(self):
        forms = ["hex", "upper", {"response": "dec", "receipt": "dec"}]
        with tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP")) as directory, World(directory) as world:
            world.start()
            api = world.api()
            for form in ("both", "text", "tlv"):
                for ids in forms:
                    with self.subTest(form=form, ids=ids):
                        world.control().request("PUT", "/v1/carriers/alpha/faults",
                                                {"receipts": {"id_format": ids, "form": form, "early": 0.5}})
                        sent = [api.post("/v1/messages", {"to": "+447700900123", "body": "x"})[1]["id"]
                                for _ in range(4)]
                        wait_until("all delivered", 20, lambda: all(
                            api.get(f"/v1/messages/{i}")["status"] == "delivered" for i in sent))


def rank(state):
    order = ["accepted", "scheduled", "queued", "submitting", "submitted", "uncertain"]
    return order.index(state) if state in order else len(order)


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""Messages that have ended, through the real binary: what is redacted stays so over a kill -9 after the answer, and in
repeated requests; what was not delivered is sent once more, once."""
import datetime
import json
import os
import tempfile
import unittest

import harness
from harness import KEY, World, run, wait_until

SECRET = "The vault opens with 7719"
NUMBER = "+447700900717"


def later(seconds):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class Ended(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        self.addCleanup(directory.cleanup)
        # Beta takes nothing for good; alpha takes all.
        self.world = World(directory.name, [harness.carrier_spec("alpha"), harness.carrier_spec(
            "beta", faults=[{"refuse": {"status": "ESME_RINVDSTADR", "ratio": 1}}])])
        self.addCleanup(self.world.__exit__)
        self.world.start()
        wait_until("links are bound", 30, self.world.bound)

    def send(self, body, key=None, **more):
        headers = {"Idempotency-Key": key} if key else {}
        status, message = self.world.api().post("/v1/messages", {"to": NUMBER, "body": body, **more}, headers)
        self.assertEqual(status, 201, message)
        return message

    def ended(self, id):
        api = self.world.api()
        return wait_until(f"{id} has ended", 30, lambda: (m := api.get(f"/v1/messages/{id}"))["status"] in
                          harness.FINAL and m)

    def route_to(self, carrier):
        config = json.loads(self.world.config_path.read_text())
        config["routes"] = [{"name": "default", "via": [{"carrier": carrier}]}]
        self.world.config_path.write_text(json.dumps(config))
        before = self.world.gateway.log_text().count('"reloaded"')
        self.world.gateway.kill(1)
        wait_until("reloaded", 30, lambda: self.world.gateway.log_text().count('"reloaded"') > before)

    def test_redacted_for_good(self):
        message = self.send(SECRET, "first", metadata={"order": 5})
        path = f"/v1/messages/{message['id']}"
        self.assertEqual(self.ended(message["id"])["status"], "delivered")
        waiting = self.send(SECRET, send_at=later(600))
        self.assertEqual(self.world.api().post(f"/v1/messages/{waiting['id']}/redact")[1]["code"], "not_redactable")
        status, redacted = self.world.api().post(path + "/redact")
        self.world.gateway.kill()
        self.assertEqual((status, redacted["status"], redacted["to"], redacted["body"], redacted["metadata"]),
                         (200, "delivered", None, None, None))
        self.world.start_gateway()
        for _ in range(2):
            api = self.world.api()
            now = api.get(path)
            self.assertEqual((now["status"], now["to"], now["from"], now["body"]), ("delivered", None, None, None))
            self.assertEqual(api.get(path + "/events")["data"][-1]["cause"], "redacted_by_client")
            listed = next(m for m in harness.all_messages(api) if m["id"] == message["id"])
            self.assertEqual(listed, now)
            status, replay, headers = api.request("POST", "/v1/messages", {"to": NUMBER, "body": SECRET, "metadata": {"order": 5}},
                                                  {"Idempotency-Key": "first"})
            self.assertEqual((status, replay["id"], replay["body"], headers["Idempotent-Replayed"]),
                             (201, message["id"], None, "true"))
            self.assertEqual(api.post(path + "/redact"), (200, now))
            self.assertEqual(api.post(path + "/resend")[1]["code"], "not_resendable")
            self.assertEqual(self.world.gateway.stop(), 0)
            self.world.start_gateway()
        # Neither text nor number is on disk in clear, nor in the log.
        for file in self.world.directory.rglob("*"):
            if file.is_file() and (file.name.startswith("data") or "data" in str(file.parent) or file.name == "gateway.log"):
                octets = file.read_bytes()
                self.assertFalse(SECRET.encode() in octets or NUMBER[1:].encode() in octets, file)

    def test_sent_once_more(self):
        self.route_to("beta")
        failed = [self.send(f"No {i}", **{"class": "support"})["id"] for i in range(20)]
        for id in failed:
            self.assertEqual(self.ended(id)["status"], "failed")
        self.route_to("alpha")
        api = self.world.api()
        path = f"/v1/messages/{failed[0]}/resend"
        status, again = api.post(path)
        self.assertEqual((status, again["resend_of"], again["body"], again["class"]), (201, failed[0], "No 0", "support"))
        self.assertEqual(self.ended(again["id"])["status"], "delivered")
        self.world.gateway.kill()
        self.world.start_gateway()
        status, replay, headers = self.world.api().request("POST", path)
        self.assertEqual((status, replay["id"], headers["Idempotent-Replayed"]), (201, again["id"], "true"))
        self.assertEqual(self.world.api().post(f"/v1/messages/{again['id']}/resend")[1]["code"], "not_resendable")
        at = ["--url", f"http://{self.world.gateway.ready['http']}", "--key", KEY, "--json"]
        asked = ["resend", "--status", "failed", "--class", "support"]
        found = run(*asked, "--dry-run", *at)
        self.assertEqual((found.returncode, json.loads(found.stdout)["found"]), (0, 20), found.stderr)
        for resent, before in ((19, 1), (0, 20)):  # a second time it sends nobody a second copy
            done = run(*asked, *at)
            self.assertEqual((done.returncode, json.loads(done.stdout)),
                             (0, {"found": 20, "resent": resent, "resent_before": before, "refused": {}}), done.stderr)
        wait_until("all are delivered", 30, lambda: not list(harness.unsettled(self.world.api())))
        def sent():
            return [l["text"] for l in self.world.carrier_lines() if l["carrier"] == "alpha"]
        wait_until("the ledger has them", 30, lambda: len(sent()) >= 20)
        self.assertEqual(sorted(sent()), sorted(f"No {i}" for i in range(20)))
        one = run("resend", again["id"], *at)
        self.assertEqual((one.returncode, json.loads(one.stdout)["refused"]), (1, {"not_resendable": 1}), one.stderr)
        self.assertEqual(run("resend", *at).returncode, 2)


if __name__ == "__main__":
    unittest.main()

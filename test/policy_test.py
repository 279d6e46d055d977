"""What countries allow, through the real binary: refused with the rule's name, held over a restart until it is day,
explained the same way."""
# ctest: TIMEOUT 300
import datetime as dt
import json
import os
import tempfile
import unittest
import zoneinfo

import harness
from harness import World, run, wait_until

TO = "+447700900123"


def window_around_now():
    """Quiet hours of a British number that end with the next minute but a few seconds, and when that is."""
    now = dt.datetime.now(dt.timezone.utc)
    end = (now + dt.timedelta(seconds=75)).replace(second=0, microsecond=0)
    local = [t.astimezone(zoneinfo.ZoneInfo("Europe/London")).strftime("%H:%M")
             for t in (now - dt.timedelta(hours=2), end)]
    return "-".join(local), end


class Policy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        cls.addClassCleanup(cls.directory.cleanup)
        cls.window, cls.end = window_around_now()
        cls.world = World(cls.directory.name, [harness.carrier_spec("alpha"), harness.carrier_spec("beta")],
                          countries={"default": {"quiet_hours": "none"}, "GB": {"quiet_hours": cls.window}})
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.start_simulator()
        cls.world.write_config()
        config = json.loads(cls.world.config_path.read_text())
        config["tenants"][0].update(not_countries=["KP"], registrations=[
            {"kind": "10dlc", "id": "C1", "country": "US", "senders": ["+15005550006"]},
            {"kind": "other", "id": "S1", "country": "SG", "senders": ["Acme"], "expires": "2026-01-01"}])
        alpha, beta = config["carriers"]
        alpha["policy"] = {"not_countries": ["NO"], "max_segments": 4}
        beta["policy"] = {"not_countries": ["NO"], "by_country": {"SE": {"senders": {"alphanumeric": "refused"}}}}
        cls.world.config_path.write_text(json.dumps(config))
        cls.world.start_gateway()
        wait_until("links are bound", 30, cls.world.bound)
        cls.api = cls.world.api()

    def refused(self, rule, **message):
        status, problem = self.api.post("/v1/messages", {"body": "hello", **message})
        self.assertEqual((status, problem["code"]), (422, "policy_refused"), problem)
        reasons = {reason["rule"]: reason for reason in problem["reasons"]}
        self.assertIn(rule, reasons)
        status, told = self.api.post("/v1/explain", message)
        self.assertEqual((status, told["verdict"]), (200, "refuse"))
        self.assertIn(reasons[rule], told["reasons"])
        return reasons[rule]

    def test_what_countries_take(self):
        reason = self.refused("country.sender_kind", to="+12125551234", **{"from": "Acme"})
        self.assertIn("US takes no alphanumeric senders", reason["text"])
        self.assertRegex(reason["version"], r"^countries-\d{4}-\d\d-\d\d$")
        reason = self.refused("country.registration", to="+6581234567", **{"from": "Acme"})
        self.assertIn("S1 of tenant test expired on 2026-01-01", reason["text"])
        reason = self.refused("country.class", to="+8613812345678", **{"class": "marketing"})
        self.assertIn("CN takes no marketing", reason["text"])
        self.refused("tenant.country", to="+8501921234567")
        status, message = self.api.post("/v1/messages", {"to": "+12015550142", "body": "x", "from": "+15005550006"})
        self.assertEqual(status, 201, message)

    def test_what_carriers_take(self):
        reason = self.refused("carrier.country", to="+4740612345")
        self.assertRegex(reason["text"], "carrier (alpha|beta) does not go to NO")
        long = "x" * 700
        self.refused("carrier.sender_kind", to="+46701234567", body=long, **{"from": "Acme"})
        reason = self.refused("carrier.text", to="+46701234567", body=long, **{"from": "Acme"})
        self.assertEqual(reason["text"], "carrier alpha takes 4 segments of a text, and this one has 5")
        status, message = self.api.post("/v1/messages", {"to": "+46701234567", "body": long})
        self.assertEqual(status, 201, message)
        path = f"/v1/messages/{message['id']}"
        self.assertEqual(wait_until("the message ends", 60, lambda: self.final(path))["carrier"], "beta")
        candidates = [(c["carrier"], c["rank"], c["excluded"], len(c["attempts"]))
                      for c in self.api.get(path + "/decision")["candidates"]]
        self.assertEqual(candidates, [("beta", 1, None, 1), ("alpha", None, "carrier.text", 0)])
        told = run("explain", message["id"], "--url", f"http://{self.world.gateway.ready['http']}", "--key", harness.KEY)
        self.assertIn("-. alpha (eu): carrier.text", told.stdout, told.stderr)
        told = run("explain", "--config", self.world.config_path, "--to", "+46701234567", "--text", long)
        self.assertIn("-. alpha (eu, preferred region): carrier.text: carrier alpha takes 4 segments", told.stdout)

    def test_consent_with_the_message(self):
        marketing = {"to": "+33612345678", "body": "news. STOP to end", "class": "marketing"}
        self.refused("country.consent", **marketing)
        consent = {"given_at": "2026-01-02T03:04:05Z", "source": "form 7"}
        status, problem = self.api.post("/v1/messages", {**marketing, "consent": {"source": 7}})
        self.assertEqual((status, [e["pointer"] for e in problem["errors"]]),
                         (400, ["/consent/source", "/consent/given_at"]), problem)
        status, told = self.api.post("/v1/explain", {**marketing, "consent": consent})
        rules = {reason["rule"]: reason["text"] for reason in told["reasons"]}
        self.assertEqual(rules["country.consent"], "the message says where the recipient's consent comes from")
        status, message = self.api.post("/v1/messages", {**marketing, "consent": consent})
        self.assertEqual(status, 201, message)
        kept = self.api.get(f"/v1/messages/{message['id']}")["consent"]
        self.assertEqual(kept, {**consent, "given_at": "2026-01-02T03:04:05.000Z"})

    def test_what_texts_hold(self):
        for body, rule in (("see https://acme.example", "country.content"), ("call 0501234567", "country.content")):
            status, problem = self.api.post("/v1/messages", {"to": "+971501234567", "body": body})
            self.assertEqual((status, problem["reasons"][0]["rule"]), (422, rule), problem)
        status, problem = self.api.post("/v1/messages", {"to": "+971501234567", "body": "hello"})
        self.assertEqual(status, 201, problem)

    def test_the_command_explains_and_checks(self):
        told = run("explain", "--config", self.world.config_path, "--to", "+971501234567", "--text", "www.acme.com")
        self.assertEqual(told.returncode, 1, told.stdout + told.stderr)
        self.assertIn("rule country.content: texts to AE may hold no links", told.stdout)
        config = json.loads(self.world.config_path.read_text())
        serious = self.world.directory / "serious.yaml"
        serious.write_text(json.dumps({**config, "demo": False, "admin": {"tokens": []}}).replace(harness.sha256(harness.KEY), "sha256:" + "0" * 64))
        checked = run("check", serious)
        self.assertEqual(checked.returncode, 0, checked.stdout)
        self.assertIn("countries that routes lead to was verified more than 180 days ago", checked.stdout)
        self.assertIn("\"S1\" expired on 2026-01-01", checked.stdout)

    def test_held_over_a_restart_until_it_is_day(self):
        status, message = self.api.post("/v1/messages", {"to": TO, "body": "held for the day", "class": "marketing",
                                                         "ttl": 3600})
        self.assertEqual((status, message["status"]), (201, "scheduled"), message)
        end = self.end.strftime("%Y-%m-%dT%H:%M:00.000Z")
        self.assertEqual(message["held_until"], end)
        self.assertEqual(message["expires_at"], (self.end + dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:00.000Z"))
        event = self.api.get(f"/v1/messages/{message['id']}/events")["data"][-1]
        self.assertEqual((event["state"], event["cause"]), ("scheduled", "policy_hold"))
        self.assertIn(f"country.quiet_hours: quiet in GB ({self.window}); held until {end}", event["raw"])

        # What is not marketing goes out at any hour.
        status, other = self.api.post("/v1/messages", {"to": TO, "body": "a code", "class": "otp"})
        self.assertEqual((status, other["held_until"]), (201, None))

        self.world.gateway.kill()
        self.world.gateway.wait()
        self.world.start_gateway()
        type(self).api = self.world.api()
        path = f"/v1/messages/{message['id']}"
        self.assertEqual(self.api.get(path)["held_until"], end)
        done = wait_until("it is day and the message goes out", 150, lambda: self.final(path))
        self.assertEqual(done["status"], "delivered")
        self.assertGreaterEqual(done["submitted_at"], end)
        wait_until("the ledger has it, once", 10, lambda: [
            line["text"] for line in self.world.carrier_lines() if "held" in line["text"]] == ["held for the day"])

    def final(self, path):
        now = self.api.get(path)
        return now if now["status"] in harness.FINAL else None


if __name__ == "__main__":
    unittest.main()

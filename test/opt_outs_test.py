"""Who must not be written to: by tenants and by operators, for what comes and for what waits, across a crash."""
# ctest: TIMEOUT 300
import json
import os
import tempfile
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote

import harness
from harness import KEY, World, metrics, sha256, total, wait_until

OTHER_KEY = "tl_other_key"
A, B, C = "+447700900101", "+447700900102", "+447700900103"


def opt_outs(http, query=""):
    """Every entry of a list."""
    out, cursor = [], ""
    while True:
        page = http.get(f"/v1/opt-outs?limit=100{query}{cursor}")
        out += page["data"]
        if not page["next_cursor"]:
            return out
        cursor = f"&cursor={page['next_cursor']}"


class OptOuts(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        self.addCleanup(temporary.cleanup)
        self.world = World(Path(temporary.name))
        self.addCleanup(self.world.__exit__)
        self.world.start_simulator()
        tenant = {"name": "test", "default_class": "transactional", "classes": ["otp", "transactional", "marketing"],
                  "keys": [{"id": "k", "hash": sha256(KEY)}], "senders": ["Acme", "Other"]}
        self.world.write_config(tenants=[tenant, {**tenant, "name": "other",
                                                  "keys": [{"id": "o", "hash": sha256(OTHER_KEY)}]}],
                                classes={"otp": {"opt_outs": "operator_only"}})
        self.world.start_gateway()
        wait_until("links are bound", 30, self.world.bound)

    def other(self):
        return harness.Http(self.world.gateway.ready["http"], OTHER_KEY)

    def send(self, to, http=None, **more):
        return (http or self.world.api()).post("/v1/messages", {"to": to, "body": "hello", "from": "Acme", **more})

    def refused(self, answer):
        status, problem = answer
        self.assertEqual((status, problem.get("code")), (422, "policy_refused"), problem)
        self.assertEqual([r["rule"] for r in problem["reasons"]], ["recipient.opted_out"])

    def taken(self, answer):
        self.assertEqual(answer[0], 201, answer[1])
        return answer[1]["id"]

    def test_tenants_and_operators(self):
        api, admin = self.world.api(), self.world.admin()
        self.assertEqual(api.post("/v1/opt-outs", {"to": A, "sender": "Acme"}), (200, {"count": 1}))
        self.refused(self.send(A))
        self.taken(self.send(A, **{"from": "Other"}))
        self.taken(self.send(A, self.other()))
        self.taken(self.send(A, **{"class": "otp"}))
        status, why = api.post("/v1/explain", {"to": A, "from": "Acme"})
        self.assertEqual((status, why["verdict"], why["reasons"][0]["rule"]), (200, "refuse", "recipient.opted_out"))

        # For all, and for those that take no notice of others.
        self.assertEqual(admin.post("/v1/opt-outs", {"to": B}), (200, {"count": 1, "changed": 1}))
        self.refused(self.send(B))
        self.refused(self.send(B, self.other(), **{"class": "otp"}))
        self.assertEqual(opt_outs(api, "&to=" + quote(B)), [])
        (entry,) = opt_outs(admin)
        self.assertEqual((entry["to"], entry["tenant"], entry["by"], entry["state"]), (B, None, "operator:t", "out"))
        (entry,) = opt_outs(admin, "&tenant=test")
        self.assertEqual((entry["to"], entry["sender"], entry["by"]), (A, "Acme", "api"))
        self.assertEqual(admin.request("DELETE", "/v1/opt-outs?to=" + quote(B))[0], 200)
        self.taken(self.send(B))

        # Its own only.
        self.assertEqual(self.other().request("DELETE", f"/v1/opt-outs?to={quote(A)}&sender=Acme")[0], 204)
        self.refused(self.send(A))
        self.assertEqual(api.request("DELETE", f"/v1/opt-outs?to={quote(A)}&sender=Acme")[0], 204)
        self.taken(self.send(A))
        self.assertEqual(opt_outs(api), [])
        self.assertEqual([e["state"] for e in opt_outs(api, "&state=in")], ["in"])
        self.assertGreater(total(metrics(admin), "trunkline_policy_decisions_total", rule="recipient.opted_out"), 3)

    def test_what_waits_is_not_sent_and_a_crash_forgets_nothing(self):
        api = self.world.api()
        scheduled = self.taken(self.send(A, send_at=(datetime.now(timezone.utc) + timedelta(seconds=4)).isoformat()))
        done = self.world.admin().post("/v1/carriers/alpha/suspend", {"reason": "test"})
        self.assertEqual(done[0], 200, done[1])
        queued = self.taken(self.send(B))
        other = self.taken(self.send(C))
        lines = "\n".join(json.dumps({"to": to}) for to in (A, B)).encode()
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": "import-1"}
        self.assertEqual(api.request("POST", "/v1/opt-outs", lines, headers)[:2], (200, {"count": 2}))
        self.world.gateway.kill()
        self.world.gateway.wait()
        self.world.start_gateway()

        api = self.world.api()
        status, body, answered = api.request("POST", "/v1/opt-outs", lines, headers)
        self.assertEqual((status, body, answered["Idempotent-Replayed"]), (200, {"count": 2}, "true"))
        self.assertEqual({e["to"] for e in opt_outs(api)}, {A, B})
        self.assertEqual(self.world.admin().post("/v1/carriers/alpha/resume")[0], 200)
        for message in (queued, scheduled):
            wait_until("it is rejected", 20,
                       lambda m=message: api.get(f"/v1/messages/{m}")["status"] == "rejected")
            last = api.get(f"/v1/messages/{message}/events")["data"][-1]
            self.assertEqual((last["cause"], last["state"]), ("recipient_opted_out", "rejected"))
        wait_until("the other goes", 20, lambda: api.get(f"/v1/messages/{other}")["status"] == "delivered")
        self.world.simulator.stop()
        self.assertEqual({line["to"] for line in self.world.carrier_lines()}, {C})

    def test_many_at_once(self):
        api = self.world.api()
        numbers = [f"+4477009{n:05}" for n in range(3000)]
        status, body = api.post("/v1/opt-outs", {"opt_outs": [{"to": n} for n in numbers]})
        self.assertEqual((status, body), (200, {"count": 3000}))
        self.assertEqual(sorted(e["to"] for e in opt_outs(api)), numbers)
        status, problem = api.post("/v1/opt-outs", {"opt_outs": [{"to": A, "state": "in"}, {"to": "4477"}]})
        self.assertEqual((status, problem["errors"][0]["pointer"]), (400, "/opt_outs/1/to"))
        self.assertEqual(len(opt_outs(api)), 3000)
        back = [{"to": n, "state": "in"} for n in numbers[::2]]
        self.assertEqual(api.post("/v1/opt-outs", {"opt_outs": back})[0], 200)
        self.assertEqual(sorted(e["to"] for e in opt_outs(api)), numbers[1::2])


if __name__ == "__main__":
    unittest.main()

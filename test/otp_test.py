"""What one-time passwords have to be, through the real binary: made from a template or the very text of one, over REST
and SMPP; else refused, or sent as another class; and not too many to one number."""
# ctest: TIMEOUT 300
import json
import os
import tempfile
import unittest

import harness
from harness import World, run, sha256, wait_until

TO = "+4477009001%02d"
SHOP, SOFT, FREE = "key_shop", "key_soft", "key_free"
LOGIN = {"name": "login", "class": "otp", "body": "{{code}} is your code for {{site}}. https://acme.example",
         "fields": {"code": "code", "site": "text"}}


def tenant(name, key, **more):
    return {"name": name, "default_class": "otp", "classes": ["otp", "transactional"], "senders": ["Acme"],
            "keys": [{"id": "k", "hash": sha256(key)}], "templates": [LOGIN], **more}


class Otp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        cls.addClassCleanup(cls.directory.cleanup)
        cls.world = World(cls.directory.name, demo=False, tenants=[
            tenant("shop", SHOP, otp={"per_number": 3}),
            tenant("soft", SOFT, otp={"otherwise": "transactional"}),
            tenant("free", FREE, otp={"templates": "not_required"})])
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.start()
        wait_until("links are bound", 30, cls.world.bound)

    def api(self, key):
        return harness.Http(self.world.gateway.ready["http"], key)

    def test_a_template_is_filled(self):
        api = self.api(SHOP)
        request = {"to": TO % 1, "template": "login", "variables": {"code": 482913, "site": "Acme"}}
        status, message = api.post("/v1/messages", request, {"Idempotency-Key": "one"})
        self.assertEqual(status, 201, message)
        self.assertEqual(message["body"], "482913 is your code for Acme. https://acme.example")
        self.assertEqual((message["class"], message["class_asked"]), ("otp", None))
        request["variables"] = {"site": "Acme", "code": "482913"}
        self.assertEqual(api.post("/v1/messages", request, {"Idempotency-Key": "one"})[1]["id"], message["id"])
        request["variables"]["code"] = "1111"
        self.assertEqual(api.post("/v1/messages", request, {"Idempotency-Key": "one"})[0], 422)
        text = message["body"]
        wait_until("it is sent", 30, lambda: any(l["text"] == text for l in self.world.carrier_lines()))

    def test_any_other_text_is_refused(self):
        api = self.api(SHOP)
        for text in ("Sale today!", "482913 is your code for Acme. https://evil.example",
                     "482913 is your code for evil.com. https://acme.example"):
            status, problem = api.post("/v1/messages", {"to": TO % 2, "body": text})
            self.assertEqual((status, problem["code"]), (422, "policy_refused"), problem)
            self.assertEqual(problem["reasons"][0]["rule"], "tenant.template")
            status, told = api.post("/v1/explain", {"to": TO % 2, "body": text})
            self.assertEqual(told["verdict"], "refuse")
            self.assertIn(problem["reasons"][0], told["reasons"])
        status, message = api.post("/v1/messages", {"to": TO % 2, "body": "A1B2 is your code for you. https://acme.example"})
        self.assertEqual(status, 201, message)
        self.assertEqual(api.post("/v1/messages", {"to": TO % 2, "body": "Sale", "class": "transactional"})[0], 201)
        self.assertEqual(self.api(FREE).post("/v1/messages", {"to": TO % 2, "body": "Anything"})[0], 201)

    def test_or_becomes_another_class(self):
        api = self.api(SOFT)
        status, message = api.post("/v1/messages", {"to": TO % 3, "body": "Sale today!"})
        self.assertEqual((status, message["class"], message["class_asked"]), (201, "transactional", "otp"), message)
        self.assertEqual(api.get(f"/v1/messages/{message['id']}")["class_asked"], "otp")
        self.assertEqual(api.get(f"/v1/messages/{message['id']}/decision")["class_asked"], "otp")
        status, told = api.post("/v1/explain", {"to": TO % 3, "body": "Sale today!"})
        self.assertEqual(told["verdict"], "allow")
        self.assertIn("goes as class transactional", " ".join(r["text"] for r in told["reasons"]))
        status, message = api.post("/v1/messages", {"to": TO % 3, "body": "1234 is your code for A. https://acme.example"})
        self.assertEqual((message["class"], message["class_asked"]), ("otp", None))
        text = self.world.admin().request("GET", "/metrics")[1]
        line = [l for l in text.splitlines() if "policy_decisions_total" in l and "downgrade" in l]
        self.assertTrue(line and 'rule="tenant.template"' in line[0], line)

    def test_not_too_many_to_one_number(self):
        api = self.api(SHOP)

        def send(to):
            return api.post("/v1/messages", {"to": to, "template": "login", "variables": {"code": "4711", "site": "A"}})
        answers = [send(TO % 4) for _ in range(8)]
        taken = [status for status, _ in answers].count(201)
        self.assertIn(taken, (3, 6))  # the hour may turn meanwhile
        status, problem = answers[-1]
        self.assertEqual((status, problem["code"]), (429, "rate_limited"))
        self.assertEqual(problem["reasons"][0]["rule"], "limits.tenant_cap")
        self.assertEqual(send(TO % 5)[0], 201)

    def test_explained_without_a_gateway(self):
        def explain(*arguments):
            return run("explain", "--config", self.world.config_path, "--tenant", "shop", "--to", TO % 1, "--json", *arguments)
        done = explain("--template", "login", "--variable", "code=4711", "--variable", "site=Acme")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("tenant.template", [r["rule"] for r in json.loads(done.stdout)["reasons"]])
        self.assertEqual(explain("--text", "Sale").returncode, 1)
        self.assertEqual(explain().returncode, 0)  # of no text nothing is said
        done = explain("--template", "login", "--variable", "code=4")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--variable code: must be 4 to 10 letters and digits", done.stderr)


if __name__ == "__main__":
    unittest.main()

"""Numbers are looked up before routing, at a provider over HTTP or HTTPS; without it the prefix has to do."""
# ctest: TIMEOUT 300
import http.server
import json
import os
import random
import ssl
import tempfile
import threading
import time
import unittest
from pathlib import Path

import certificates
import harness
from harness import World, metrics, total, wait_until

THREE = "+447400123456"   # assigned to Three (23420)
HASH = "$argon2id$v=19$m=19456,t=2,p=1$j91RNqk6FRFpmynPwxofPg$PuZoSin3l3SB3Ako5x61Pv0nj1AUIEmS3f1En6rI534"  # demopass
ANSWER = {"mccmnc": "/network/code", "ported": "/ported", "status": "/status", "invalid": ["unassigned"]}


class Provider:
    """An HLR service: what it answers by number, how long it takes, who asked."""

    def __init__(self, context=None):
        self.answers = {}
        self.status = 200
        self.delay = 0
        self.asked = []
        self.headers = []
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                number = self.path.rpartition("/")[2]
                provider.asked.append(number)
                provider.headers.append(dict(self.headers))
                time.sleep(provider.delay)
                body = json.dumps(provider.answers.get(number, {"network": {"code": "23430"}, "ported": True})).encode()
                try:
                    self.send_response(provider.status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # it did not wait

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Lookup(unittest.TestCase):
    def start(self, provider, scheme="http", host="127.0.0.1", smpp=False, **more):
        temporary = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        self.addCleanup(temporary.cleanup)
        self.addCleanup(provider.stop)
        self.provider = provider
        self.world = World(Path(temporary.name), [harness.carrier_spec("alpha"), harness.carrier_spec("beta")])
        self.addCleanup(self.world.__exit__)
        lookup = {"url": f"{scheme}://{host}:{provider.port}/numbers/{{number}}", "authorization": "Bearer sesame",
                  "timeout": "5s", "answer": ANSWER, **more}
        if smpp:
            defaults = harness.gateway_config("", {})
            tenant = {**defaults["tenants"][0], "smpp": [{"system_id": "demo", "password_hash": HASH, "window": 500}],
                      "limits": {"rate": "10000/s"}}
            listen = {**defaults["listen"], "smpp": {"address": "127.0.0.1:0"}}
            self.world.config_more = {"tenants": [tenant], "listen": listen}
        self.world.start(numbering={"lookup": lookup},
                         routes=[{"name": "ee", "match": {"mccmnc": "23430"}, "via": [{"carrier": "beta"}]},
                                 {"name": "rest", "via": [{"carrier": "alpha"}]}])
        wait_until("links are bound", 30, self.world.bound)

    def send(self, to=THREE, expect=201, **more):
        status, message = self.world.api().post("/v1/messages", {"to": to, "body": "hello", **more})
        self.assertEqual(status, expect, message)
        return message

    def reload(self):
        done = self.world.gateway.log_text().count('"reloaded"')
        self.world.gateway.kill(harness.signal.SIGHUP)
        wait_until("it is in force", 20, lambda: self.world.gateway.log_text().count('"reloaded"') > done)

    def decision(self, message):
        return self.world.api().get(f"/v1/messages/{message['id']}/decision")

    def counted(self, result):
        return total(metrics(self.world.admin()), "trunkline_lookups_total", result=result)

    def test_a_ported_number_goes_by_its_network(self):
        self.start(Provider())
        decision = self.decision(self.send())
        self.assertEqual((decision["route"], decision["network"], decision["looked_up"], decision["ported"]),
                         ("ee", "23430", True, True))
        self.assertEqual(self.provider.asked, [THREE[1:]])
        self.assertEqual(self.provider.headers[0]["Authorization"], "Bearer sesame")

        # Known by now, for explain, too; a batch asks about each number once.
        self.assertEqual(self.decision(self.send())["route"], "ee")
        status, why = self.world.api().post("/v1/explain", {"to": THREE})
        self.assertEqual((status, why["network"]["source"], why["network"]["ported"], why["plan"]),
                         (200, "lookup", True, ["beta"]))
        self.assertEqual(len(self.provider.asked), 1)
        self.provider.answers["447400123457"] = {"network": {"code": "23420"}, "ported": False}
        other = {"to": "+447400123457", "body": "x"}
        status, batch = self.world.api().post("/v1/messages/batch", {"messages": [other, other, {"to": THREE, "body": "x"}]})
        self.assertEqual(status, 200, batch)
        routes = [self.decision(r["message"])["route"] for r in batch["results"]]
        self.assertEqual(routes, ["rest", "rest", "ee"])
        self.assertEqual(len(self.provider.asked), 2)
        self.assertEqual(self.counted("answered"), 2)
        # Fictional numbers, and countries without portability, cost nothing.
        self.send("+447700900123")
        self.assertEqual(len(self.provider.asked), 2)
        self.assertNotIn("7400123", self.world.gateway.log_text())

    def test_over_tls(self):
        with tempfile.TemporaryDirectory() as directory:
            authority = certificates.make(directory, "authority", authority=True)
            server = certificates.make(directory, "provider", authority)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(server.file, server.key)
            self.start(Provider(context), scheme="https", host="localhost", ca=str(authority.file))
            self.assertEqual(self.decision(self.send())["route"], "ee")
            for n in range(20):
                self.send(f"+4474001234{n:02}")
            self.assertEqual(self.counted("failed"), 0)
            # A reload reads the certificates again, and keeps what was told.
            asked = len(self.provider.asked)
            self.reload()
            self.assertEqual(self.decision(self.send())["looked_up"], True)
            self.assertEqual(len(self.provider.asked), asked)
            self.assertEqual(self.decision(self.send("+447400123800"))["looked_up"], True)
            self.assertEqual(len(self.provider.asked), asked + 1)

    def test_a_certificate_of_others_is_no_provider(self):
        with tempfile.TemporaryDirectory() as directory:
            server = certificates.make(directory, "provider", certificates.make(directory, "nobody", authority=True))
            other = certificates.make(directory, "authority", authority=True)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(server.file, server.key)
            self.start(Provider(context), scheme="https", host="localhost", ca=str(other.file))
            self.assertEqual(self.decision(self.send())["looked_up"], False)
            self.assertEqual((self.counted("failed"), self.provider.asked), (1, []))

    def test_what_is_refused_for_speed_is_not_paid_for(self):
        self.start(Provider())
        config = json.loads(self.world.config_path.read_text())
        config["tenants"][0]["limits"] = {"rate": "2/s"}
        self.world.config_path.write_text(json.dumps(config))
        self.reload()
        api = self.world.api()
        statuses = [api.post("/v1/messages", {"to": f"+44740013{n:04}", "body": "x"})[0] for n in range(300)]
        accepted = statuses.count(201)
        self.assertEqual(accepted + statuses.count(429), 300)
        self.assertGreater(statuses.count(429), 100)
        self.assertGreaterEqual(len(self.provider.asked), 1)
        self.assertLessEqual(len(self.provider.asked), accepted + 2)  # two clocks, a moment apart

    def test_a_slow_or_broken_provider_stops_nobody(self):
        self.start(Provider(), timeout="200ms", concurrency=2)
        self.provider.delay = 3
        self.assertEqual(self.decision(self.send())["route"], "rest")
        self.assertEqual(self.counted("late"), 1)

        self.provider.delay = 0
        self.provider.status = 500
        for n in range(30):
            self.assertEqual(self.decision(self.send(f"+4474001235{n:02}"))["looked_up"], False)
        self.assertLess(len(self.provider.asked), 20)  # it is left alone
        self.assertIn("lookup_failing", self.world.gateway.log_text())
        self.assertGreater(self.counted("skipped"), 0)

        # It works again: found out by itself.
        self.provider.status = 200
        wait_until("it is asked again", 60, lambda: self.decision(self.send("+447400123699"))["looked_up"], step=0.5)
        self.assertIn("lookup_works", self.world.gateway.log_text())

    def test_no_more_than_allowed_and_nobodys_numbers(self):
        self.start(Provider(), rate="1/m", invalid="refuse")
        self.provider.answers[THREE[1:]] = {"status": "Unassigned"}
        refused = self.send(expect=422)
        self.assertEqual(refused["reasons"][0]["rule"], "destination.number")
        for n in range(10):
            self.assertEqual(self.decision(self.send(f"+4474001236{n:02}"))["looked_up"], False)
        self.assertEqual(len(self.provider.asked), 1)

        # A reload without it asks nobody, one with another limit begins anew.
        config = json.loads(self.world.config_path.read_text())
        config["numbering"]["lookup"]["rate"] = "100/s"
        self.world.config_path.write_text(json.dumps(config))
        self.world.gateway.kill(harness.signal.SIGHUP)
        wait_until("it is asked", 20, lambda: self.decision(self.send("+447400123700"))["looked_up"], step=0.2)
        del config["numbering"]
        self.world.config_path.write_text(json.dumps(config))
        self.world.gateway.kill(harness.signal.SIGHUP)
        wait_until("it is not", 20, lambda: not self.decision(self.send("+447400123700"))["looked_up"], step=0.2)

    def test_under_load_nothing_is_lost_over_any_api(self):
        """Asked about thousands of numbers at once, while the provider slows down, fails and comes back."""
        self.start(Provider(), smpp=True, timeout="300ms", rate="2000/s", concurrency=16)
        going = threading.Event()

        def disturb():
            while not going.wait(0.3):
                self.provider.delay, self.provider.status = random.choice([(0, 200), (0.01, 200), (0.5, 200), (0, 503)])
            self.provider.delay, self.provider.status = 0, 200

        disturber = threading.Thread(target=disturb)
        disturber.start()
        ledger = self.world.directory / "accepted.ndjson"
        options = {"count": 3000, "to_prefix": "+44740012", "ledger": ledger}
        reports = [self.world.load_smpp(system_id="demo", password="demopass", window=300, seed=4, **options),
                   self.world.load(connections=16, batch=20, seed=5, **options)]
        going.set()
        disturber.join()
        for report in reports:
            self.assertEqual(report["acknowledged"], 3000, report)
        wait_until("all are sent", 60, lambda: len(self.world.carrier_lines()) >= 6000, step=0.2)
        code, verdict, error = harness.verify(ledger, self.world.ledger)
        self.assertEqual((code, verdict["lost"], verdict["duplicates"]), (0, 0, 0), (verdict, error))
        routes = {line["carrier"] for line in self.world.carrier_lines()}
        self.assertEqual(routes, {"alpha", "beta"})  # some were looked up, some not
        # Of ten thousand numbers many came more than once.
        self.assertGreater(self.counted("answered"), 0)
        self.assertGreater(self.counted("cached"), 0)

    def test_who_waits_is_answered_before_the_end(self):
        self.start(Provider(), timeout="10s")
        self.provider.delay = 60  # longer than anybody waits: nothing of it may hold up the end
        answers = []
        senders = [threading.Thread(target=lambda n=n: answers.append(self.send(f"+4474001238{n:02}")))
                   for n in range(4)]
        for sender in senders:
            sender.start()
        wait_until("they wait", 10, lambda: len(self.provider.asked) == 4)
        self.assertEqual(self.world.gateway.stop(), 0)
        for sender in senders:
            sender.join()
        self.assertEqual(len(answers), 4)
        self.assertEqual({answer["status"] for answer in answers} & {"failed", "rejected"}, set())


if __name__ == "__main__":
    unittest.main()

"""trunkline trace-peer: what passes between the gateway and one peer, live; what is hidden, who may see it, and that a
reader who does not read costs nobody anything."""
# ctest: TIMEOUT 300
import json
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import harness
import interop
from harness import ADMIN_TOKEN, BINARY, World, wait_until
from smpp_esme_test import HASH, MESSAGE, OK, text_of

HIDDEN = "***"
VIEWER = "tl_test_viewer"


class Trace:
    """`trunkline trace-peer`, its lines as they come."""

    def __init__(self, world, *arguments, token=ADMIN_TOKEN):
        self.process = subprocess.Popen(
            [BINARY, "trace-peer", "--admin", f"http://{world.gateway.ready['admin']}", *arguments], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "TRUNKLINE_ADMIN_TOKEN": token})
        self.lines = queue.Queue()
        self.seen = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def wait(self, what, condition, seconds=20):
        """The first line from now on that satisfies the condition."""
        while True:
            try:
                line = self.lines.get(timeout=seconds)
            except queue.Empty:
                raise AssertionError(f"not traced: {what}; there was: {self.seen[-20:]}") from None
            self.seen.append(line)
            value = json.loads(line) if line.startswith("{") else line
            if condition(value):
                return value

    def command(self, name, direction):
        return self.wait(f"{name} {direction}", lambda l: l.get("command") == name and l["direction"] == direction)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def logged(world, event):
    return [line for line in map(json.loads, filter(lambda l: l.startswith("{"), world.gateway.log_text().splitlines()))
            if line.get("event") == event]


class TracePeer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        cls.addClassCleanup(temporary.cleanup)
        directory = Path(temporary.name)
        base = harness.gateway_config("x", {"alpha": "h:1"})
        tenants = [{**base["tenants"][0], "smpp": [{"system_id": name, "password_hash": HASH} for name in ("app", "alpha")]}]
        admin = {**base["admin"], "tokens": [*base["admin"]["tokens"],
                                             {"id": "v", "role": "viewer", "hash": harness.sha256(VIEWER)}]}
        listen = {name: {"address": "127.0.0.1:0"} for name in ("http", "smpp", "admin")}
        cls.world = World(directory, [harness.carrier_spec("alpha")], listen=listen, tenants=tenants, admin=admin)
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.start(smpp={"binds": 1})
        wait_until("links are bound", 30, cls.world.bound)

    def trace(self, *arguments, **more):
        begun = len(logged(self.world, "peer_trace_begun"))
        trace = Trace(self.world, *arguments, **more)
        self.addCleanup(trace.stop)
        wait_until("the trace has begun", 20, lambda: len(logged(self.world, "peer_trace_begun")) > begun)
        return trace

    def send(self, body):
        status, message = self.world.api().post("/v1/messages", {"to": "+447700900123", "body": body, "from": "Acme"})
        self.assertEqual(status, 201, message)

    def ended(self, trace):
        count = len(logged(self.world, "peer_trace_ended"))
        trace.stop()
        wait_until("the trace has ended", 20, lambda: len(logged(self.world, "peer_trace_ended")) > count)

    def test_a_carrier_without_texts(self):
        trace = self.trace("alpha", "--json", token=VIEWER)
        self.send("the secret of the hour")
        submit = trace.command("submit_sm", "out")
        self.assertEqual((submit["peer"], submit["link"]), ("alpha", "0"))
        self.assertEqual(submit["fields"]["destination_addr"]["addr"], "447*******23")
        self.assertEqual(submit["fields"]["source_addr"]["addr"], "Acme")
        self.assertEqual(submit["fields"]["short_message"], {"octets": 22})
        answer = trace.command("submit_sm_resp", "in")
        self.assertEqual((answer["sequence"], answer["status"]), (submit["sequence"], "ESME_ROK"))
        receipt = trace.command("deliver_sm", "in")
        self.assertEqual(trace.command("deliver_sm_resp", "out")["sequence"], receipt["sequence"])
        self.ended(trace)
        for hidden in ("secret", "447700900123", "736563726574"):
            self.assertNotIn(hidden, "\n".join(trace.seen))
        begun = logged(self.world, "peer_trace_begun")[-1]
        self.assertEqual((begun["kind"], begun["peer"], begun["by"], begun["bodies"]), ("carrier", "alpha", "v", "no"))

    def test_our_own_bind(self):
        trace = self.trace("alpha", "--bodies", "--json")
        status, _ = self.world.control().post("/v1/carriers/alpha/kill-links", {})
        self.assertEqual(status, 200)
        bind = trace.command("bind_transceiver", "out")
        self.assertEqual((bind["fields"]["system_id"], bind["fields"]["password"]), ("tl", HIDDEN))
        self.assertEqual(trace.command("bind_transceiver_resp", "in")["sequence"], bind["sequence"])
        self.ended(trace)
        wait_until("the link is bound again", 30, self.world.bound)

    def test_with_texts_for_operators(self):
        done = harness.run("trace-peer", "alpha", "--bodies", "--admin", f"http://{self.world.gateway.ready['admin']}",
                           "--token", VIEWER)
        self.assertEqual(done.returncode, 1)
        self.assertIn("role", done.stderr)
        before = harness.total(harness.metrics(self.world.admin()), "trunkline_peer_traces_total", bodies="yes")
        trace = self.trace("alpha", "--bodies", "--json")
        self.send("for all to see")
        submit = trace.command("submit_sm", "out")
        self.assertEqual(submit["fields"]["short_message"]["text"], "for all to see")
        self.assertEqual(submit["fields"]["destination_addr"]["addr"], "447700900123")
        begun = logged(self.world, "peer_trace_begun")[-1]
        self.assertEqual((begun["by"], begun["bodies"]), ("t", "yes"))
        self.assertEqual(harness.total(harness.metrics(self.world.admin()), "trunkline_peer_traces_total", bodies="yes"), before + 1)
        self.ended(trace)

    def test_for_people(self):
        trace = self.trace("alpha")
        self.send("hello")
        line = trace.wait("a submit", lambda l: "-> submit_sm " in l)
        self.assertRegex(line, r"^\d\d:\d\d:\d\d(\.\d+)? alpha/0 -> submit_sm \d+ source_addr=Acme destination_addr=447\*{7}23 ")
        trace.wait("its answer", lambda l: "<- submit_sm_resp" in l and "ESME_ROK" in l)
        self.ended(trace)

    def test_an_account_from_its_bind_on(self):
        if interop.missing():
            print(f"SKIPPED: traces of applications: {interop.missing()}")
            return
        trace = self.trace("app", "--bodies", "--json")
        esme = interop.Esme()
        self.addCleanup(esme.close)
        self.assertEqual(esme.bind("a", self.world.gateway.ready["smpp"], system_id="app")["command_status"], OK)
        bind = trace.command("bind_transceiver", "in")
        self.assertEqual((bind["fields"]["system_id"], bind["fields"]["password"]), ("app", HIDDEN))
        self.assertEqual(trace.command("bind_transceiver_resp", "out")["status"], "ESME_ROK")
        answer = esme.call("a", "submit_sm", **{**MESSAGE, "short_message": "from an app"})
        self.assertEqual(trace.command("submit_sm", "in")["fields"]["short_message"]["text"], "from an app")
        self.assertEqual(trace.command("submit_sm_resp", "out")["fields"]["message_id"], answer["message_id"])
        self.assertEqual(text_of(esme.delivered()), trace.command("deliver_sm", "out")["fields"]["short_message"]["text"])
        esme.do("close", name="a")
        trace.wait("its end", lambda l: l.get("event") == "closed")
        self.assertNotIn("demopass", "\n".join(trace.seen))
        self.ended(trace)

    def test_a_name_of_both_kinds(self):
        trace = self.trace("alpha", "--account")
        self.assertEqual(logged(self.world, "peer_trace_begun")[-1]["kind"], "account")
        both = self.trace("alpha")
        self.assertEqual(logged(self.world, "peer_trace_begun")[-1]["kind"], "carrier")
        admin = ("--admin", f"http://{self.world.gateway.ready['admin']}", "--token", ADMIN_TOKEN)
        done = harness.run("trace-peer", "alpha", "--carrier", *admin)
        self.assertEqual(done.returncode, 1)
        self.assertIn("traced already", done.stderr)
        self.ended(both)
        self.ended(trace)

    def test_what_cannot_be(self):
        admin = f"http://{self.world.gateway.ready['admin']}"
        for code, words, arguments in ((1, "no such account", ("nobody", "--admin", admin, "--token", ADMIN_TOKEN)),
                                       (1, "admin token", ("alpha", "--admin", admin, "--token", "wrong")),
                                       (2, "NAME", ("a/b", "--admin", admin, "--token", ADMIN_TOKEN)),
                                       (3, "", ("alpha", "--admin", f"http://127.0.0.1:{harness.free_port()}", "--token", "x"))):
            done = harness.run("trace-peer", *arguments)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(words, done.stderr)

    def test_who_does_not_read_loses_lines_and_harms_nobody(self):
        host, _, port = self.world.gateway.ready["admin"].rpartition(":")
        with socket.socket() as reader:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            reader.connect((host, int(port)))
            reader.sendall(f"GET /v1/carriers/alpha/trace HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n\r\n".encode())
            self.assertTrue(reader.recv(1))
            before = harness.memory(self.world.gateway.pid)
            report = self.world.load(count=8000, connections=8, **{"from": "Acme"})
            self.assertEqual(report["acknowledged"], 8000)
            self.assertLess(harness.memory(self.world.gateway.pid) - before, 128 * 2**20)
            reader.settimeout(20)
            seen = b""
            while b'"dropped":' not in seen[-400000:]:
                piece = reader.recv(65536)
                self.assertTrue(piece, "the stream ended")
                seen += piece
        wait_until("the trace has ended", 20, lambda: len(logged(self.world, "peer_trace_ended")) == len(
            logged(self.world, "peer_trace_begun")))


if __name__ == "__main__":
    unittest.main(warnings="ignore")

"""Debian's Kannel as an application of ours: its sendsms -> us -> a carrier -> the receipt to its dlr-url; and what a
phone sends -> us -> its sms-service. Kannel is bearerbox and smsbox with a configuration made here."""
# ctest: TIMEOUT 300
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

import harness
import interop
from harness import World, wait_until
from smpp_esme_test import HASH, OK, text_of

NUMBER = "+447700900123"
CONFIGURATION = """\
group = core
admin-port = {admin}
admin-password = bar
smsbox-port = {smsbox}
box-allow-ip = "127.0.0.1"
admin-allow-ip = "127.0.0.1"
log-level = 0
log-file = "{directory}/bearerbox.log"
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = trunkline
host = 127.0.0.1
port = {smpp}
smsc-username = kannel
smsc-password = demopass
system-type = ""
transceiver-mode = true
enquire-link-interval = 2
source-addr-autodetect = true
dest-addr-ton = 1
dest-addr-npi = 1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {smsbox}
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
log-level = 0
log-file = "{directory}/smsbox.log"

group = sendsms-user
username = u
password = p
max-messages = 10
concatenation = true

group = sms-service
keyword = default
get-url = "http://127.0.0.1:{sink}/mo?from=%p&to=%P&coding=%c&charset=%C&text=%b"
max-messages = 0
"""


class Sink:
    """Records the requests that Kannel makes: (path, {field: octets})."""

    def __init__(self):
        calls, changed = [], threading.Condition()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path, _, query = self.path.partition("?")
                fields = {}
                for pair in query.split("&"):
                    name, _, value = pair.partition("=")
                    fields[name] = urllib.parse.unquote_to_bytes(value.replace("+", " "))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                with changed:
                    calls.append((path, fields))
                    changed.notify_all()

            def log_message(self, *_):
                pass

        self.calls, self.changed = calls, changed
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, path, condition=lambda fields: True, seconds=30):
        """The fields of the first such call, taken out."""
        def find():
            return next((c for c in self.calls if c[0] == path and condition(c[1])), None)
        with self.changed:
            if not self.changed.wait_for(lambda: find() is not None, seconds):
                raise TimeoutError(f"no call of {path}; there are: {self.calls}")
            call = find()
            self.calls.remove(call)
            return call[1]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def box(name):
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")


class Kannel:
    def __init__(self, directory, smpp_port, sink_port):
        self.ports = {name: harness.free_port() for name in ("admin", "smsbox", "sendsms")}
        self.directory = Path(directory)
        self.path = self.directory / "kannel.conf"
        self.path.write_text(CONFIGURATION.format(directory=directory, smpp=smpp_port, sink=sink_port, **self.ports))
        self.processes = []
        self.log = open(self.directory / "kannel.out", "wb")
        for name, port in (("bearerbox", "smsbox"), ("smsbox", "sendsms")):
            self.processes.append(subprocess.Popen([box(name), "-v", "4", str(self.path)], stdin=subprocess.DEVNULL,
                                                   stdout=self.log, stderr=self.log))
            wait_until(f"{name} listens", 30, lambda: self.listens(self.ports[port]))
        wait_until("kannel is bound", 30, lambda: "online" in self.status())

    @staticmethod
    def listens(port):
        import socket
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0

    def status(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['admin']}/status.txt?password=bar", timeout=10) as answer:
            text = answer.read().decode()
        return text[text.find("SMSC connections"):]

    def send(self, **fields):
        query = urllib.parse.urlencode({"username": "u", "password": "p", "from": "Acme", "to": NUMBER, **fields})
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['sendsms']}/cgi-bin/sendsms?{query}", timeout=10) as answer:
            return answer.status, answer.read().decode()

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.log.close()


class Interop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"), ignore_cleanup_errors=True)
        cls.addClassCleanup(temporary.cleanup)
        directory = Path(temporary.name)
        cls.sink = Sink()
        cls.addClassCleanup(cls.sink.close)
        cls.phones = interop.Smsc()
        cls.addClassCleanup(cls.phones.close)
        cls.world = World(directory, [harness.carrier_spec("alpha")])
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.start_simulator()
        carriers = {"alpha": cls.world.simulator.ready["carriers"]["alpha"], "phones": {"address": cls.phones.address, "binds": 1}}
        base = harness.gateway_config("x", {"alpha": "h:1"})["tenants"][0]
        tenants = [{**base, "numbers": ["+15005550006"], "smpp": [{"system_id": "kannel", "password_hash": HASH}]}]
        listen = {name: {"address": "127.0.0.1:0"} for name in ("http", "smpp", "admin")}
        config = harness.gateway_config(directory / "data", carriers, listen=listen, tenants=tenants,
                                        routes=[{"name": "all", "via": [{"carrier": "alpha"}]}])
        cls.world.config_path.write_text(json.dumps(config))
        cls.world.start_gateway()
        wait_until("links are bound", 30, lambda: all(
            c["links_up"] for c in cls.world.admin().get("/v1/carriers")["data"]))
        cls.kannel = Kannel(directory, harness.port_of(cls.world.gateway.ready["smpp"]), cls.sink.port)
        cls.addClassCleanup(cls.kannel.stop)

    def sent(self, token, text, receipts=1, **fields):
        """Sends, waits for every receipt at the dlr-url, returns the line of the carrier's ledger."""
        url = f"http://127.0.0.1:{self.sink.port}/dlr?token={token}&type=%d&answer=%A"
        status, body = self.kannel.send(**{"dlr-mask": 31, "dlr-url": url, "text": text, **fields})
        self.assertEqual(status, 202, body)
        for kind in (b"8", b"1"):  # accepted by the message centre (us), then delivered to the phone
            for _ in range(receipts):
                call = self.sink.wait("/dlr", lambda f: f["token"] == token.encode() and f["type"] == kind)
        self.assertIn(b"stat:DELIVRD", call["answer"])
        return wait_until(f"{token} at the carrier", 10, lambda: next(
            (line for line in self.world.carrier_lines() if token in line["text"]), None))

    def test_a_text_and_its_receipts(self):
        line = self.sent("plain-1", "plain-1 hello from Kannel: @£$ àèì {€}", charset="UTF-8", coding=0)
        self.assertEqual((line["text"], line["to"], line["from"]),
                         ("plain-1 hello from Kannel: @£$ àèì {€}", NUMBER, "Acme"))

    def test_ucs2(self):
        line = self.sent("ucs2-1", "ucs2-1 Привет 漢字", charset="UTF-8", coding=2)
        self.assertEqual(line["text"], "ucs2-1 Привет 漢字")

    def test_long_texts(self):
        text = "long-1 " + "0123456789" * 40
        self.assertEqual(self.sent("long-1", text, receipts=1, charset="UTF-8", coding=0)["text"], text)
        text = "long-2 " + "длинный текст " * 15
        self.assertEqual(self.sent("long-2", text, receipts=1, charset="UTF-8", coding=2)["text"], text)

    def test_many(self):
        url = f"http://127.0.0.1:{self.sink.port}/dlr?token=many&n=NUMBER&type=%d"
        for i in range(50):
            status, body = self.kannel.send(**{"dlr-mask": 1, "dlr-url": url.replace("NUMBER", str(i)), "text": f"many {i}"})
            self.assertEqual(status, 202, body)
        seen = {self.sink.wait("/dlr", lambda f: f["token"] == b"many")["n"] for _ in range(50)}
        self.assertEqual(seen, {str(i).encode() for i in range(50)})

    def test_what_we_refuse_is_told(self):
        url = f"http://127.0.0.1:{self.sink.port}/dlr?token=refused&type=%d&answer=%A"
        self.kannel.send(**{"dlr-mask": 31, "dlr-url": url, "text": "x", "from": "Evil"})
        call = self.sink.wait("/dlr", lambda f: f["token"] == b"refused" and f["type"] == b"16")
        self.assertIn(b"0x0000000a", call["answer"])  # ESME_RINVSRCADR

    def test_kannel_has_nothing_to_complain_of(self):
        self.sent("quiet-1", "quiet-1")
        log = (self.kannel.directory / "bearerbox.log").read_text(errors="replace")
        complaints = [line for line in log.splitlines() if any(word in line for word in ("ERROR", "PANIC", "Unknown", "malformed"))]
        # What test_what_we_refuse_is_told makes it say.
        self.assertEqual([line for line in complaints if "0x0000000a" not in line], [])

    def test_from_a_phone(self):
        to = {"source_addr_ton": 1, "source_addr_npi": 1, "source_addr": "447700900123",
              "dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "15005550006"}
        self.assertEqual(self.phones.deliver(**to, short_message="from a phone")["command_status"], OK)
        call = self.sink.wait("/mo", lambda f: f["text"] == b"from a phone")
        self.assertEqual((call["from"], call["to"]), (b"+447700900123", b"+15005550006"))
        octets = "Да, 漢字".encode("utf-16-be")
        self.assertEqual(self.phones.deliver(**to, data_coding=8, short_message={"hex": octets.hex()})["command_status"], OK)
        call = self.sink.wait("/mo", lambda f: f["coding"] == b"2")
        self.assertEqual(call["text"], octets)


if __name__ == "__main__":
    why = interop.missing() or (None if box("bearerbox") and box("smsbox") else "kannel is not installed; ./dev test installs it")
    if why:
        print(f"SKIPPED: Kannel as an application: {why}")
        sys.exit(77)
    unittest.main(warnings="ignore")

"""tshark, which knows SMPP from its own reading of the specification, dissects every PDU that we send, on both sides,
without a malformed packet or an expert's warning, and sees as many as were sent."""
# ctest: TIMEOUT 300
import collections
import json
import os
import shutil
import struct
import sys
import tempfile
import unittest
from pathlib import Path

import capture
import harness
import interop
from harness import World, wait_until
from smpp_esme_test import FROM, HASH, MESSAGE, OK, TO, text_of

WARNING = 0x600000  # tshark's PI_WARN
NAMES = {0x01: "bind_receiver", 0x02: "bind_transmitter", 0x03: "query_sm", 0x04: "submit_sm", 0x05: "deliver_sm", 0x06: "unbind",
         0x07: "replace_sm", 0x08: "cancel_sm", 0x09: "bind_transceiver", 0x15: "enquire_link", 0x21: "submit_multi",
         0x103: "data_sm", 0x111: "broadcast_sm"}


def name(command):
    if command == 0x80000000:
        return "generic_nack"
    return NAMES.get(command & 0x7fffffff, hex(command)) + ("_resp" if command & 0x80000000 else "")


class Tshark(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        cls.addClassCleanup(temporary.cleanup)
        cls.directory = Path(temporary.name)
        cls.smsc = interop.Smsc()
        cls.addClassCleanup(cls.smsc.close)
        cls.out = capture.Relay(cls.smsc.address, "client")
        cls.addClassCleanup(cls.out.close)
        cls.world = World(cls.directory)
        cls.addClassCleanup(cls.world.__exit__)
        base = harness.gateway_config("x", {"alpha": "h:1"})["tenants"][0]
        tenants = [{**base, "numbers": ["+15005550006"],
                    "smpp": [{"system_id": "app", "password_hash": HASH, "binds": 5, "receipts": {"text": 20}}]}]
        listen = {name: {"address": "127.0.0.1:0"} for name in ("http", "smpp", "admin")}
        at = {"address": cls.out.address, "binds": 1, "bind": "transmitter_receiver", "enquire_link": "300ms"}
        trx = {"address": cls.out.address, "binds": 1, "enquire_link": "300ms"}
        config = harness.gateway_config(cls.directory / "data", {"alpha": at, "beta": trx}, listen=listen, tenants=tenants,
                                        routes=[{"name": "all", "via": [{"carrier": "beta"}]}])  # receipts come where it submits
        cls.world.config_path.write_text(json.dumps(config))
        cls.world.start_gateway()
        wait_until("links are bound", 30, lambda: all(
            c["links_up"] for c in cls.world.admin().get("/v1/carriers")["data"]))
        cls.inward = capture.Relay(cls.world.gateway.ready["smpp"], "server")
        cls.addClassCleanup(cls.inward.close)

    def check(self, relay, file, wanted):
        """What tshark makes of the capture; `wanted`: names of PDUs that must be in it."""
        path = self.directory / file
        relay.write(path)
        if os.environ.get("TRUNKLINE_KEEP_CAPTURE"):
            shutil.copy(path, os.environ["TRUNKLINE_KEEP_CAPTURE"])
        complaints = capture.tshark(path, f"_ws.malformed || _ws.expert.severity >= {WARNING}", "frame.number", "ip.src",
                                    "smpp.command_id", "_ws.expert.message")
        self.assertEqual(complaints, [])
        sent = relay.pdus(mine=True)
        ours = ".".join(map(str, capture.OURS))
        seen = [int(c, 0) for row in capture.tshark(path, f"smpp && ip.src == {ours}", "smpp.command_id") for c in row[0].split(";")]
        expected = collections.Counter(name(struct.unpack(">I", pdu[4:8])[0]) for pdu in sent)
        self.assertEqual(collections.Counter(map(name, seen)), expected)
        self.assertEqual(set(wanted) - set(expected), set(), "not in the capture, so nothing was shown")
        print(f"{file}: {len(sent)} PDUs of ours: {dict(expected)}")

    def test_towards_applications(self):
        esme = interop.Esme()
        self.addCleanup(esme.close)
        for bind in ("transmitter", "receiver", "transceiver"):
            answer = esme.bind(bind, self.inward.address, system_id="app", command=f"bind_{bind}")
            self.assertEqual(answer["command_status"], OK, answer)
        self.assertNotEqual(esme.bind("wrong", self.inward.address, system_id="app", password="wrong")["command_status"], OK)
        a = "transceiver"

        def submit(expect=OK, command="submit_sm", **fields):
            answer = esme.call(a, command, **{**MESSAGE, **fields})
            self.assertEqual(answer["command_status"], expect, answer)
            return answer.get("message_id")

        ids = [submit(), submit(registered_delivery=0x11), submit(short_message={"hex": "0500034d0201" + "61" * 30}, esm_class=0x40),
               submit(short_message={"hex": "0500034d0202" + "62" * 30}, esm_class=0x40),
               submit(short_message="", message_payload={"message": "p" * 500}),
               submit(data_coding=8, short_message={"hex": "Да".encode("utf-16-be").hex()}),
               submit(command="data_sm", message_payload={"message": "data"})]
        for _ in range(len(ids)):
            wanted = ids
            esme.wait_event(lambda e: e["event"] == "deliver_sm" and e["pdu"].get("message_state") == 2
                            and e["pdu"].get("receipted_message_id") in wanted)
        answer = esme.call(a, "submit_multi", **FROM, short_message="multi", registered_delivery=0, dest_address=[
            {"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": n} for n in ("447700900001", "44", "447700900002")])
        self.assertEqual(answer["command_status"], OK, answer)
        waits = submit(schedule_delivery_time="000001000000000R")
        for number in (*ids, waits, "none"):
            esme.call(a, "query_sm", message_id=number, **FROM)
        esme.call(a, "cancel_sm", message_id=waits, **FROM, **TO)
        esme.call(a, "cancel_sm", message_id="none", **FROM, **TO)
        esme.call(a, "replace_sm", message_id="none", **FROM, short_message="x")
        submit(expect=0x0b, destination_addr="0123")
        submit(expect=0x0a, source_addr="Evil")
        esme.call(a, "enquire_link")
        answer = esme.call("receiver", "submit_sm", **MESSAGE)
        self.assertEqual(answer["command_status"], 4)
        phone = {"source_addr_ton": 1, "source_addr_npi": 1, "source_addr": "447700900123",
                 "dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "15005550006"}
        for fields in ({"short_message": "from a phone"}, {"data_coding": 8, "short_message": {"hex": "0414"}},
                       {"esm_class": 0x40, "short_message": {"hex": "050003070201" + "61" * 20}},
                       {"short_message": "", "message_payload": {"message": "long " * 60}}):
            self.assertEqual(self.smsc.deliver(**phone, **fields)["command_status"], OK)
            esme.wait_event(lambda e: e["event"] == "deliver_sm" and e["pdu"]["destination_addr"] == "15005550006")
        self.assertEqual(esme.call("transmitter", "unbind")["command_status"], OK)
        # What the gateway begins itself: it unbinds whom a reload removes.
        self.nack()
        config = json.loads(self.world.config_path.read_text())
        config["tenants"][0]["smpp"] = []
        self.world.config_path.write_text(json.dumps(config))
        import signal
        self.world.gateway.kill(signal.SIGHUP)
        for _ in range(2):
            esme.wait_event(lambda e: e["event"] == "close" and e["name"] in ("receiver", "transceiver"))
        self.check(self.inward, "applications.pcap", [
            "bind_transmitter_resp", "bind_receiver_resp", "bind_transceiver_resp", "submit_sm_resp", "data_sm_resp", "submit_multi_resp",
            "query_sm_resp", "cancel_sm_resp", "replace_sm_resp", "deliver_sm", "enquire_link_resp", "unbind", "unbind_resp",
            "generic_nack"])

    def nack(self):
        """A body that ends inside a field: generic_nack."""
        import socket
        host, _, port = self.inward.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=30) as peer:
            peer.sendall(struct.pack(">IIII", 16, 0x80000123, 0, 5))  # a response to nothing, of no kind there is
            peer.sendall(struct.pack(">IIII", 16, 0x1234, 0, 9))
            self.assertEqual(peer.recv(16)[4:8], bytes([0x80, 0, 0, 0]))

    def test_towards_carriers(self):
        api = self.world.api()
        ids = []
        for fields in ({}, {"body": "long " * 60}, {"body": "Привет " * 30}, {"body": "€[]{} àèì"}, {"from": "+15005550006"},
                       {"class": "otp", "ttl": 60}):
            status, message = api.post("/v1/messages", {"to": "+447700900123", "body": "hello", "from": "Acme", **fields})
            self.assertEqual(status, 201, message)
            ids.append(message["id"])
        wait_until("all are delivered", 30, lambda: all(
            api.get(f"/v1/messages/{i}")["status"] == "delivered" for i in ids))
        phone = {"source_addr": "447700900123", "source_addr_ton": 1, "destination_addr": "15005550006"}
        self.assertEqual(self.smsc.deliver(**{**phone, "destination_addr": "1999"}, short_message="to nobody")["command_status"], 0x64)
        wait_until("links are asked whether they live", 30, lambda: any(
            pdu[4:8] == bytes([0, 0, 0, 0x15]) for pdu in self.out.pdus(mine=True)))
        self.assertEqual(self.world.gateway.stop(), 0)
        type(self).world.gateway = None
        self.check(self.out, "carriers.pcap", ["bind_transmitter", "bind_receiver", "bind_transceiver", "submit_sm",
                                               "deliver_sm_resp", "enquire_link", "unbind"])


    def test_tshark_would_complain(self):
        """A submit_sm that ends inside a field: or nothing above shows anything."""
        relay = capture.Relay("127.0.0.1:1", "client")
        self.addCleanup(relay.close)
        relay.connections.append([(1.0, True, struct.pack(">IIII", 26, 4, 0, 1) + b"\0\1\0014477009")])
        path = self.directory / "damaged.pcap"
        relay.write(path)
        self.assertTrue(capture.tshark(path, f"_ws.malformed || _ws.expert.severity >= {WARNING}", "frame.number"))


def order(loader, *_):
    suite = unittest.TestSuite()
    suite.addTests([Tshark("test_tshark_would_complain"), Tshark("test_towards_applications"), Tshark("test_towards_carriers")])  # the second stops the gateway
    return suite


load_tests = order

if __name__ == "__main__":
    why = interop.missing() or (None if shutil.which("tshark") else "tshark is not installed; ./dev test installs it")
    if why:
        print(f"SKIPPED: dissection by tshark: {why}")
        sys.exit(77)
    unittest.main(warnings="ignore")

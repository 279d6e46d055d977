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
         0x0b: "outbind", 0x103: "data_sm", 0x111: "broadcast_sm"}


def name(command):
    if command == 0x80000000:
        return "generic_nack"
    return NAMES.get(command & 0x7fffffff, hex(command)) + ("_resp" if command & 0x80000000 else "")


# Carriers that want more than the book asks for: the sender that leads to each, and its options.
CARRIERS = {
    "dlt": ("15005550011", {"tlvs": [{"tag": "0x1400", "value": "{metadata.pe_id}", "required": True},
                                     {"tag": "0x1401", "value": "{metadata.template_id}"},
                                     {"tag": "0x1402", "type": "int16", "value": "513"},
                                     {"tag": "0x0204", "type": "int16", "value": "7"}],
                            "service_type": "CMT", "priority_flag": {"otp": 3}}),
    "sar": ("15005550012", {"text": {"parts": "sar", "single_shift": ["turkish"], "alphabets": ["gsm7", "latin1", "ucs2"]}}),
    "tables": ("15005550013", {"text": {"single_shift": ["hindi", "turkish"], "locking_shift": ["hindi", "turkish"]}}),
    "wide": ("15005550014", {"text": {"parts": "udh16"}, "interface_version": "5.0", "password": "longer-than-eight"}),
    "payload": ("15005550015", {"text": {"parts": "payload"}, "interface_version": "5.0", "validity": "none"}),
    "packed": ("15005550016", {"text": {"packed": True}, "registered_delivery": "none"}),
    "old": ("15005550017", {"interface_version": "3.3", "bind": "transmitter_receiver", "registered_delivery": "none"}),
}


class Tshark(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        cls.addClassCleanup(temporary.cleanup)
        cls.directory = Path(temporary.name)
        cls.esme = interop.Esme()
        cls.addClassCleanup(cls.esme.close)
        port = cls.esme.do("listen", name="called", bind={"system_id": "called", "password": "demopass"})["port"]
        cls.called = capture.Relay(f"127.0.0.1:{port}", "client")
        cls.addClassCleanup(cls.called.close)
        cls.smsc = interop.Smsc()
        cls.addClassCleanup(cls.smsc.close)
        cls.out = capture.Relay(cls.smsc.address, "client")
        cls.addClassCleanup(cls.out.close)
        cls.world = World(cls.directory)
        cls.addClassCleanup(cls.world.__exit__)
        base = harness.gateway_config("x", {"alpha": "h:1"})["tenants"][0]
        host, _, port = cls.called.address.rpartition(":")
        tenants = [{**base, "numbers": ["+15005550006"], "senders": base["senders"] + ["+" + s for s, _ in CARRIERS.values()],
                    "smpp": [{"system_id": "app", "password_hash": HASH, "binds": 5, "receipts": {"text": 20}},
                             {"system_id": "data", "password_hash": HASH, "receipts": {"as": "data_sm", "dates": "seconds"}},
                             {"system_id": "old", "password_hash": HASH},
                             {"system_id": "called", "password_hash": HASH,
                              "outbind": {"host": host, "port": int(port), "password": "secret"}}]}]
        listen = {name: {"address": "127.0.0.1:0"} for name in ("http", "smpp", "admin")}
        at = {"address": cls.out.address, "binds": 1, "bind": "transmitter_receiver", "enquire_link": "300ms"}
        trx = {"address": cls.out.address, "binds": 1, "enquire_link": "300ms"}
        special = {name: {**trx, **options} for name, (_, options) in CARRIERS.items()}
        routes = [{"name": name, "match": {"sender": ["+" + sender]}, "via": [{"carrier": name}]}
                  for name, (sender, _) in CARRIERS.items()]
        config = harness.gateway_config(cls.directory / "data", {"alpha": at, "beta": trx, **special}, listen=listen, tenants=tenants,
                                        routes=[*routes, {"name": "all", "via": [{"carrier": "beta"}]}])  # receipts come where it submits
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
        esme = self.esme
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
        # An application of 5.0, told by data_sm; one of 3.3, which knows no TLVs; parts by SAR.
        for system_id, version in (("data", 0x50), ("old", 0x33)):
            answer = esme.bind(system_id, self.inward.address, system_id=system_id, interface_version=version)
            self.assertEqual(answer["command_status"], OK, answer)
        parts = [{"short_message": f"part {i}", "sar_msg_ref_num": 300, "sar_total_segments": 2, "sar_segment_seqnum": i}
                 for i in (1, 2)]
        for i, fields in enumerate((*parts, {"user_message_reference": 7, "registered_delivery": 0x12})):
            self.assertEqual(esme.call("data", "submit_sm", **{**MESSAGE, **fields})["command_status"], OK)
            if i < 2:
                esme.wait_event(lambda e: e["event"] == "data_sm" and e["name"] == "data")
        answer = esme.call("old", "submit_sm", **MESSAGE)
        self.assertEqual((answer["command_status"], len(answer["message_id"])), (OK, 8))
        esme.wait_event(lambda e: e["event"] == "deliver_sm" and e["name"] == "old")
        self.assertEqual(esme.call("old", "query_sm", message_id=answer["message_id"], **FROM)["command_status"], OK)
        self.assertEqual(esme.call("data", "broadcast_sm", source_addr="Acme")["command_status"], 3)
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
            "query_sm_resp", "cancel_sm_resp", "replace_sm_resp", "deliver_sm", "data_sm", "broadcast_sm_resp",
            "enquire_link_resp", "unbind", "unbind_resp", "generic_nack"])

    def test_an_application_that_is_called(self):
        esme = self.esme
        answer = esme.bind("caller", self.inward.address, system_id="called", command="bind_transmitter")
        self.assertEqual(answer["command_status"], OK, answer)
        number = esme.call("caller", "submit_sm", **MESSAGE)["message_id"]
        outbind = esme.wait_event(lambda e: e["event"] == "outbind")["pdu"]
        self.assertEqual((outbind["system_id"], outbind["password"]), ("trunkline", "secret"))
        self.assertEqual(esme.delivered("called")["receipted_message_id"], number)
        self.check(self.called, "outbind.pcap", ["outbind", "bind_receiver_resp", "deliver_sm"])

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
        texts = {"dlt": ["Your code is 1234"], "sar": ["aşk " * 50, "Grüße, Ð", "Привет " * 30], "tables": ["नमस्ते " * 30, "aşk " * 50],
                 "wide": ["long " * 60, "Привет " * 30], "payload": ["long " * 60, "Привет " * 200], "packed": ["long " * 60, "€ and more"],
                 "old": ["short", "long " * 60]}
        quiet = []
        for carrier, bodies in texts.items():
            for body in bodies:
                status, message = api.post("/v1/messages", {
                    "to": "+447700900123", "body": body, "from": "+" + CARRIERS[carrier][0], "class": "otp",
                    "metadata": {"pe_id": "1101234567890123456", "template_id": "1107"}})
                self.assertEqual(status, 201, message)
                (quiet if carrier in ("packed", "old") else ids).append(message["id"])
        wait_until("what nobody tells of is sent", 30, lambda: all(
            api.get(f"/v1/messages/{i}")["status"] in ("submitted", "uncertain") for i in quiet))
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
        # And it reads from them what they are meant to say.
        ours = f"smpp.command_id == 4 && ip.src == {'.'.join(map(str, capture.OURS))}"
        for field, *values in (
                ("smpp.opt_param_tag", "0x1400", "0x1401", "0x1402", "0x020c", "0x0424"), ("smpp.user_message_reference", "0x0007"),
                ("smpp.sar_total_segments", "2"), ("smpp.sar_segment_seqnum", "1", "2"), ("smpp.data_coding", "0x00", "0x03", "0x08"),
                ("gsm_sms.dis_iei_lang.single_shift", "1"), ("gsm_sms.dis_iei_lang.locking_shift", "6"),
                ("gsm_sms.udh.mm.msg_parts", "2"), ("gsm_sms.udh.mm.msg_part", "1", "2")):
            rows = capture.tshark(self.directory / "carriers.pcap", f"{ours} && {field}", field)
            seen = {value for row in rows for cell in row for value in cell.split(";")}
            self.assertEqual(set(values) - seen, set(), f"{field}: {seen}")

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
    suite.addTests([Tshark("test_tshark_would_complain"), Tshark("test_an_application_that_is_called"),
                    Tshark("test_towards_applications"), Tshark("test_towards_carriers")])  # the last stops the gateway
    return suite


load_tests = order

if __name__ == "__main__":
    why = interop.missing() or (None if shutil.which("tshark") else "tshark is not installed; ./dev test installs it")
    if why:
        print(f"SKIPPED: dissection by tshark: {why}")
        sys.exit(77)
    unittest.main(warnings="ignore")

"""Applications over SMPP, with a stack we did not write (npm's smpp): bind, submit, receipts, what is refused, and
that nothing told is lost when the application goes away or the gateway is killed."""
# ctest: TIMEOUT 600
import json
import os
import re
import socket
import struct
import sys
import tempfile
import unittest
from datetime import datetime, timedelta, timezone

import harness
import interop
from harness import World, wait_until

HASH = "$argon2id$v=19$m=19456,t=2,p=1$j91RNqk6FRFpmynPwxofPg$PuZoSin3l3SB3Ako5x61Pv0nj1AUIEmS3f1En6rI534"  # demopass
OK, RINVBNDSTS, RALYBND, RINVSRCADR, RINVDSTADR, RINVMSGID, RBINDFAIL = 0, 4, 5, 0x0a, 0x0b, 0x0c, 0x0d
RCANCELFAIL, RREPLACEFAIL, RINVESMCLASS, RTHROTTLED, RINVEXPIRY, RINVMSGLEN = 0x11, 0x13, 0x43, 0x58, 0x62, 0x01
RINVSUBREP = 0x42
ACCOUNTS = 20  # each test has its own: receipts of one must not reach another
TO = {"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "447700900123"}
FROM = {"source_addr_ton": 5, "source_addr_npi": 0, "source_addr": "Acme"}
MESSAGE = {**TO, **FROM, "registered_delivery": 1, "short_message": "hello"}
RECEIPT = re.compile(r"id:([0-9a-f]{32}) sub:\d{3} dlvrd:(\d{3}) submit date:(\d{10}) done date:(\d{10}) "
                     r"stat:([A-Z]+) err:(\d{3}) text:(.*)", re.IGNORECASE)


def text_of(pdu):
    body = pdu["short_message"]
    message = body.get("message", body)
    return bytes.fromhex(message["hex"]).decode("latin-1") if isinstance(message, dict) else message


def tenants():
    base = harness.gateway_config("x", {"alpha": "h:1"})["tenants"][0]
    account = {"password_hash": HASH}
    return [{**base, "numbers": ["+15005550006"],
             "smpp": [*({**account, "system_id": f"app{i}", "receipts": {"text": 20}} for i in range(ACCOUNTS)),
                      {**account, "system_id": "few", "binds": 1, "rate": "1/h", "addresses": ["127.0.0.0/8"]},
                      {**account, "system_id": "elsewhere", "addresses": ["192.0.2.0/24"]}]}]


class Esme(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        cls.addClassCleanup(cls.directory.cleanup)
        listen = {name: {"address": "127.0.0.1:0"} for name in ("http", "smpp", "admin")}
        cls.world = World(cls.directory.name, [harness.carrier_spec("alpha")], listen=listen, tenants=tenants())
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.start(smpp={"reconnect_max": "200ms"})
        wait_until("links are bound", 30, cls.world.bound)
        cls.accounts = iter([f"app{i}" for i in range(ACCOUNTS)])

    def tearDown(self):
        self.world.control().request("DELETE", "/v1/carriers/alpha/faults")

    def setUp(self):
        self.account = next(self.accounts)
        self.esme = interop.Esme()
        self.addCleanup(self.esme.close)
        self.address = self.world.gateway.ready["smpp"]

    def bind(self, name="a", **more):
        answer = self.esme.bind(name, self.address, **{"system_id": self.account, **more})
        self.assertEqual(answer["command_status"], OK, answer)
        return answer

    def submit(self, name="a", expect=OK, **fields):
        answer = self.esme.call(name, "submit_sm", **{**MESSAGE, **fields})
        self.assertEqual(answer["command_status"], expect, answer)
        return answer.get("message_id")

    def receipt(self, name=None):
        pdu = self.esme.delivered(name)
        match = RECEIPT.fullmatch(text_of(pdu))
        self.assertTrue(match, pdu)
        self.assertEqual(pdu["esm_class"], 4)
        self.assertEqual(pdu["receipted_message_id"], match[1])
        return {"id": match[1], "dlvrd": match[2], "stat": match[5], "err": match[6], "text": match[7], "pdu": pdu}

    def test_submit_and_its_receipt(self):
        answer = self.bind()
        self.assertEqual(answer["command"], "bind_transceiver_resp")
        number = self.submit(short_message="hello from npm")
        receipt = self.receipt()
        self.assertEqual((receipt["id"], receipt["stat"], receipt["dlvrd"], receipt["err"], receipt["text"]),
                         (number, "DELIVRD", "001", "000", "hello from npm"))
        pdu = receipt["pdu"]
        self.assertEqual((pdu["source_addr"], pdu["destination_addr"], pdu["message_state"]),
                         ("447700900123", "Acme", 2))
        message = self.world.api().get(f"/v1/messages/msg_{number}")
        self.assertEqual((message["status"], message["body"], message["from"]), ("delivered", "hello from npm", "Acme"))
        answer = self.esme.call("a", "query_sm", message_id=number, **FROM)
        self.assertEqual((answer["command_status"], answer["message_state"]), (OK, 2), answer)
        self.assertEqual(self.esme.call("a", "unbind")["command_status"], OK)
        self.esme.wait_event(lambda e: e["event"] == "close")

    def carriers_text(self, token):
        lines = wait_until(f"{token} at the carrier", 10, lambda: [
            line for line in self.world.carrier_lines() if token in line["text"]])
        return lines[0]["text"]

    def test_texts_arrive_as_they_were_written(self):
        self.bind()
        for token, text, coding in (("gsm-1", "gsm-1 Ünicode? àèì €[]{}", 0), ("ucs-1", "ucs-1 Привет 漢字 🎉", 8),
                                    ("lat-1", "lat-1 Grüße çà", 3), ("long-1", "long-1 " + "0123456789" * 30, 0)):
            octets = text.encode({8: "utf-16-be", 3: "latin-1"}[coding]) if coding else None
            field = {"short_message": {"hex": octets.hex()} if octets else text}
            if len(text) > 250:
                field = {"message_payload": {"message": text}, "short_message": ""}
            self.submit(data_coding=coding, **field)
            self.assertEqual(self.carriers_text(token), text)

    def test_a_multipart_message_keeps_its_parts(self):
        self.bind()
        parts = ["multi-1 first ", "second ", "third"]
        ids = []
        for i, part in enumerate(parts, 1):
            octets = bytes([5, 0, 3, 77, len(parts), i]) + part.encode()
            ids.append(self.submit(esm_class=0x40, short_message={"hex": octets.hex()}))
        self.assertEqual(self.carriers_text("multi-1"), "".join(parts))
        self.assertEqual(sorted(self.receipt()["id"] for _ in parts), sorted(ids))

    def test_sar_is_sent_as_a_header(self):
        self.bind()
        for i, part in enumerate(("sar-1 first ", "second"), 1):
            self.submit(short_message=part, sar_msg_ref_num=300, sar_total_segments=2, sar_segment_seqnum=i)
        self.assertEqual(self.carriers_text("sar-1"), "sar-1 first second")

    def test_receipts_as_asked_for(self):
        self.bind()
        self.submit(registered_delivery=0)
        self.submit(registered_delivery=2)  # only failures, and it is delivered
        number = self.submit(registered_delivery=0x11)
        pdu = self.esme.delivered()
        self.assertEqual((pdu["esm_class"], pdu["message_state"], pdu["receipted_message_id"]), (0x20, 1, number))
        self.assertEqual(self.receipt()["id"], number)
        # One that cannot be sent in time: its carrier is gone.
        self.world.faults("alpha", [{"refuse": {"status": "ESME_RSYSERR", "ratio": 1}}])
        expired = self.submit(registered_delivery=2, validity_period="000000000002000R")
        receipt = self.receipt()
        self.assertEqual((receipt["id"], receipt["stat"]), (expired, "EXPIRED"))

    def test_what_is_refused(self):
        self.bind()
        for status, fields in ((RINVDSTADR, {"destination_addr": "0123"}), (RINVSRCADR, {"source_addr": "Evil"}),
                               (RINVESMCLASS, {"esm_class": 4}), (RINVEXPIRY, {"validity_period": "000000000000000R"}),
                               (RINVMSGLEN, {"esm_class": 0x40, "short_message": {"hex": "ff00"}})):
            self.submit(expect=status, **fields)
        for command in ("replace_sm", "query_sm", "cancel_sm"):
            answer = self.esme.call("a", command, message_id="no such id", **FROM, **(TO if command == "cancel_sm" else {}))
            self.assertEqual(answer["command_status"], RINVMSGID, answer)
        self.submit(expect=RINVSUBREP, replace_if_present_flag=2)
        self.bind("r", command="bind_receiver")
        answer = self.esme.call("r", "submit_sm", **MESSAGE)
        self.assertEqual(answer["command_status"], RINVBNDSTS)

    def test_who_may_bind(self):
        for fields in ({"system_id": self.account, "password": "wrong"}, {"system_id": "nobody"}, {"system_id": "elsewhere"}):
            answer = self.esme.bind(str(fields), self.address, **fields)
            self.assertEqual(answer["command_status"], RBINDFAIL, answer)
        self.bind("few1", system_id="few")
        self.assertEqual(self.esme.bind("few2", self.address, system_id="few")["command_status"], RALYBND)
        self.submit("few1")
        self.submit("few1", expect=RTHROTTLED)
        self.assertEqual(self.esme.call("few1", "unbind")["command_status"], OK)
        wait_until("the bind is free", 10, lambda: self.esme.bind(
            "few3", self.address, system_id="few")["command_status"] == OK)

    def test_load_and_its_verdict(self):
        directory = self.world.directory
        report = self.world.load_smpp(
            system_id=self.account, password="demopass", count=500, binds=2, window=50, segments="1:8,3:2", unicode=0.2,
            ledger=directory / "load.ndjson", attempted=directory / "attempted.ndjson", seed=9, **{"from": "Acme"})
        self.assertEqual((report["acknowledged"], report["refused"], report["errors"]), (500, {}, {}), report)
        self.assertEqual(report["receipts"]["stat"], {"DELIVRD": 500}, report)
        self.assertEqual(report["receipts"]["missing"], 0)
        self.assertGreater(report["receipts"]["latency_ms"]["p99"], 0)

        def verdict():
            code, found, why = harness.verify(directory / "load.ndjson", self.world.ledger)
            self.assertIsNotNone(found, why)
            # What other tests sent has no token; a line is written once its last part was answered.
            return found if found["lost"] == 0 else None
        found = wait_until("the carrier's ledger is written", 10, verdict)
        self.assertEqual((found["accepted"], found["never_accepted"], found["duplicates"]), (500, 0, 0), found)
        done = harness.run("load", "--smpp", self.address, "--system-id", "nobody", "--password", "x", "--count", 1)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("ESME_RBINDFAIL", done.stderr)

    def test_submit_multi(self):
        self.bind()
        answer = self.esme.call("a", "submit_multi", **FROM, registered_delivery=1, short_message="multi", dest_address=[
            {"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": n} for n in ("447700900001", "44", "447700900002")])
        self.assertEqual(answer["command_status"], OK, answer)
        self.assertEqual([u["destination_addr"] for u in answer["unsuccess_sme"]], ["44"])
        receipts = [self.receipt() for _ in range(2)]
        self.assertEqual({r["pdu"]["source_addr"] for r in receipts}, {"447700900001", "447700900002"})
        self.assertIn(answer["message_id"], {r["id"] for r in receipts})

    def test_cancel(self):
        self.bind()
        number = self.submit(schedule_delivery_time="000001000000000R")
        answer = self.esme.call("a", "query_sm", message_id=number, **FROM)
        self.assertEqual(answer["message_state"], 0, answer)
        self.assertEqual(self.esme.call("a", "cancel_sm", message_id=number, **FROM, **TO)["command_status"], OK)
        self.assertEqual(self.receipt()["stat"], "DELETED")
        answer = self.esme.call("a", "cancel_sm", message_id=number, **FROM, **TO)
        self.assertEqual(answer["command_status"], RCANCELFAIL)

    def replace(self, number, expect=OK, name="a", **fields):
        answer = self.esme.call(name, "replace_sm", message_id=number, **{**FROM, "registered_delivery": 1, **fields})
        self.assertEqual(answer["command_status"], expect, answer)

    def texts(self, token):
        return [line["text"] for line in self.world.carrier_lines() if token in line["text"]]

    def restart(self):
        self.world.gateway.kill()
        self.world.start_gateway()
        self.address = self.world.gateway.ready["smpp"]
        wait_until("links are bound", 30, self.world.bound)

    def test_replace(self):
        self.bind()
        in_an_hour, soon = "000000010000000R", "000000000001000R"
        waiting = self.submit(short_message="rep-1 old", schedule_delivery_time=in_an_hour)
        number = self.submit(short_message={"hex": "rep-2 Привет".encode("utf-16-be").hex()}, data_coding=8,
                             schedule_delivery_time=in_an_hour, registered_delivery=0)
        self.replace(waiting, short_message="rep-1 new")
        self.replace(waiting, RINVSRCADR, source_addr="Other", short_message="rep-1 no")
        self.replace("0" * 32, RINVMSGID, short_message="rep-1 no")
        # What was answered is on disk.
        self.restart()
        self.bind("b", system_id=self.account)
        message = self.world.api().get(f"/v1/messages/msg_{waiting}")
        self.assertEqual((message["status"], message["body"]), ("scheduled", "rep-1 new"))
        self.replace(waiting, name="b", short_message="rep-1 newest " + "x" * 200, schedule_delivery_time=soon)
        self.replace(number, name="b", short_message={"hex": "rep-2 Пока".encode("utf-16-be").hex()},
                     schedule_delivery_time=soon)
        receipts = {receipt["id"]: receipt["stat"] for receipt in (self.receipt("b") for _ in range(2))}
        self.assertEqual(receipts, {waiting: "DELIVRD", number: "DELIVRD"})
        wait_until("the carrier's ledger is written", 10, lambda: self.texts("rep-1") and self.texts("rep-2"))
        self.assertEqual((self.texts("rep-1"), self.texts("rep-2")), (["rep-1 newest " + "x" * 200], ["rep-2 Пока"]))
        self.replace(waiting, RREPLACEFAIL, name="b", short_message="rep-1 too late")
        causes = [event["cause"] for event in self.world.api().get(f"/v1/messages/msg_{waiting}/events")["data"]]
        self.assertEqual(causes.count("replaced_by_client"), 2, causes)
        # Nothing of a part, nor of one that its carriers have.
        part = self.submit("b", esm_class=0x40, short_message={"hex": "050003070201" + b"rep-3".hex()},
                           schedule_delivery_time=in_an_hour)
        self.replace(part, RREPLACEFAIL, name="b", short_message="rep-3 new")

    def test_replace_what_came_over_rest(self):
        self.bind()
        message = self.world.api().post("/v1/messages", {
            "to": "+447700900123", "from": "Acme", "body": "rest-1 old", "class": "otp", "ttl": "2h",
            "send_at": (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()})[1]
        self.replace(message["id"].removeprefix("msg_"), short_message="rest-1 new", schedule_delivery_time="000000000001000R")
        self.assertEqual(self.receipt()["stat"], "DELIVRD")
        wait_until("the carrier's ledger is written", 10, lambda: self.texts("rest-1"))
        self.assertEqual(self.texts("rest-1"), ["rest-1 new"])

    def test_replace_if_present(self):
        self.bind()
        fields = {"replace_if_present_flag": 1, "service_type": "NEWS"}
        later = {**fields, "schedule_delivery_time": "000000010000000R"}
        number = self.submit(short_message="pres-1", **later)
        self.assertEqual(self.submit(short_message="pres-2", **later), number)
        self.assertNotEqual(self.submit(short_message="other", **{**later, "service_type": "CMT"}), number)
        self.restart()
        self.bind("b", system_id=self.account)
        self.assertEqual(self.submit("b", short_message="pres-3", **fields), number)
        self.assertEqual(self.receipt("b")["id"], number)
        wait_until("the carrier's ledger is written", 10, lambda: self.texts("pres-"))
        self.assertEqual(self.texts("pres-"), ["pres-3"])
        self.assertNotEqual(self.submit("b", short_message="pres-4", **fields), number)

    def test_receipts_wait_for_whoever_is_away(self):
        self.bind("t", system_id=self.account, command="bind_transmitter")
        ids = {self.submit("t") for _ in range(20)}
        api = self.world.api()
        wait_until("all are delivered", 30, lambda: all(
            api.get(f"/v1/messages/msg_{i}")["status"] == "delivered" for i in ids))
        self.assertEqual([e for e in self.esme.events if e["event"] == "deliver_sm"], [])
        # Refused for now, then answered; and one kill in between.
        self.esme.do("connect", name="r", url=f"smpp://{self.address}")
        self.esme.do("answer", name="r", status=0x64)
        self.esme.call("r", "bind_receiver", system_id=self.account, password="demopass")
        first = self.receipt("r")["id"]
        self.world.gateway.kill()
        self.world.start_gateway()
        self.address = self.world.gateway.ready["smpp"]
        self.bind("r2", system_id=self.account, command="bind_receiver")
        seen = {self.receipt("r2")["id"] for _ in range(20)}
        self.assertEqual(seen, ids)
        self.assertIn(first, ids)
        # Told and confirmed: not again.
        wait_until("links are bound", 30, self.world.bound)
        self.esme.call("r2", "unbind")
        self.bind("r3", system_id=self.account)
        marker = self.submit("r3")
        self.assertEqual(self.receipt("r3")["id"], marker)

    def test_one_that_does_not_answer_slows_nobody(self):
        stalled = next(self.accounts)
        self.esme.do("connect", name="stalled", url=f"smpp://{self.address}")
        self.esme.do("answer", name="stalled", status=None)
        self.esme.call("stalled", "bind_transceiver", system_id=stalled, password="demopass")
        for _ in range(60):  # more than its window of receipts
            self.submit("stalled")
        self.bind("quick")
        for _ in range(20):
            number = self.submit("quick")
            self.assertEqual(self.receipt("quick")["id"], number)


def pdu(command, status=0, sequence=1, body=b""):
    return struct.pack(">IIII", 16 + len(body), command, status, sequence) + body


def bind_body(system_id, password=b"demopass"):
    return system_id + b"\0" + password + b"\0" + b"\0" + bytes([0x34, 0, 0]) + b"\0"


class Hostile(unittest.TestCase):
    """Peers that do not play by the rules, on raw sockets; a well-behaved one beside them notices nothing."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        cls.addClassCleanup(cls.directory.cleanup)
        listen = {name: {"address": "127.0.0.1:0"} for name in ("http", "smpp", "admin")}
        cls.world = World(cls.directory.name, [harness.carrier_spec("alpha")], listen=listen, tenants=tenants())
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.start()
        wait_until("links are bound", 30, cls.world.bound)
        cls.good = interop.Esme()
        cls.addClassCleanup(cls.good.close)
        cls.good.bind("good", cls.world.gateway.ready["smpp"], system_id="app0")

    def connect(self):
        host, _, port = self.world.gateway.ready["smpp"].rpartition(":")
        peer = socket.create_connection((host, int(port)), timeout=30)
        self.addCleanup(peer.close)
        return peer

    def read(self, peer):
        """One PDU's (command, status, sequence); None at the end."""
        data = b""
        while len(data) < 16:
            try:
                piece = peer.recv(16 - len(data))
            except ConnectionResetError:
                return None
            if not piece:
                return None
            data += piece
        length, command, status, sequence = struct.unpack(">IIII", data)
        left = length - 16
        while left > 0:
            left -= len(peer.recv(left))
        return command, status, sequence

    def tearDown(self):
        answer = self.good.call("good", "submit_sm", **{**MESSAGE, "registered_delivery": 0})
        self.assertEqual(answer["command_status"], OK)

    def test_what_makes_no_sense_is_refused_and_closed(self):
        for data in (struct.pack(">I", 5) + b"x" * 12, struct.pack(">IIII", 0x7fffffff, 9, 0, 1),
                     struct.pack(">IIII", 4096, 9, 0, 1), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
            peer = self.connect()
            peer.sendall(data)
            answer = self.read(peer)
            self.assertEqual((answer[0], answer[1]), (0x80000000, 2), data)  # generic_nack, ESME_RINVCMDLEN
            self.assertIsNone(self.read(peer), data)

    def test_before_the_bind(self):
        peer = self.connect()
        peer.sendall(pdu(4, sequence=7, body=b"\0" * 33))
        self.assertEqual(self.read(peer), (0x80000004, RINVBNDSTS, 7))
        peer.sendall(pdu(0x15, sequence=8))
        self.assertEqual(self.read(peer), (0x80000015, OK, 8))
        peer.sendall(pdu(0x1234, sequence=9))
        self.assertEqual(self.read(peer), (0x80000000, 3, 9))  # ESME_RINVCMDID
        for _ in range(100):  # a client that is not bound may send a few
            try:
                peer.sendall(pdu(0x15))
            except (BrokenPipeError, ConnectionResetError):
                break
        while self.read(peer) is not None:
            pass

    def test_one_octet_at_a_time(self):
        peer = self.connect()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in pdu(9, sequence=3, body=bind_body(b"app1")):
            peer.sendall(bytes([octet]))
        self.assertEqual(self.read(peer), (0x80000009, OK, 3))
        peer.sendall(pdu(4, sequence=4, body=b"\xff" * 20))  # no end of a field
        self.assertNotEqual(self.read(peer)[1], OK)
        peer.sendall(pdu(0x15, sequence=5))
        self.assertEqual(self.read(peer), (0x80000015, OK, 5))

    def test_many_that_say_nothing(self):
        before = harness.memory(self.world.gateway.pid)
        peers = [self.connect() for _ in range(500)]
        for peer in peers[:250]:
            peer.sendall(b"\0\0\0")
        self.tearDown()
        each = (harness.memory(self.world.gateway.pid) - before) / len(peers) / 1024
        self.assertLess(each, 64, "KiB a connection that has not said who it is")

    def test_wrong_binds_in_a_storm(self):  # the last one: its address has to wait afterwards
        peers = [self.connect() for _ in range(50)]
        for peer in peers:
            peer.sendall(pdu(9, body=bind_body(b"nobody", b"guess")))
        answers = [self.read(peer) for peer in peers]
        self.assertTrue(all(a is not None and a[1] in (RBINDFAIL, RTHROTTLED) for a in answers), answers)


class Carrier(unittest.TestCase):
    """A carrier we did not write, and messages from phones, to an application we did not write."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        self.addCleanup(directory.cleanup)
        self.smsc = interop.Smsc()
        self.addCleanup(self.smsc.close)
        listen = {name: {"address": "127.0.0.1:0"} for name in ("http", "smpp", "admin")}
        self.world = World(directory.name)
        self.addCleanup(self.world.__exit__)
        config = harness.gateway_config(self.world.directory / "data", {"npm": self.smsc.address},
                                        listen=listen, tenants=tenants())
        self.world.config_path.write_text(json.dumps(config))
        self.world.start_gateway()
        for _ in range(2):
            self.smsc.wait_event(lambda e: e["event"] == "bind_transceiver")
        self.esme = interop.Esme()
        self.addCleanup(self.esme.close)
        self.address = self.world.gateway.ready["smpp"]
        answer = self.esme.bind("a", self.address, system_id="app0")
        self.assertEqual(answer["command_status"], OK)

    def test_there_and_back(self):
        answer = self.esme.call("a", "submit_sm", **{**MESSAGE, "short_message": "over npm"})
        self.assertEqual(answer["command_status"], OK)
        pdu = self.smsc.submitted()
        self.assertEqual((text_of(pdu), pdu["destination_addr"], pdu["source_addr"], pdu["source_addr_ton"],
                          pdu["registered_delivery"]), ("over npm", "447700900123", "Acme", 5, 1))
        receipt = self.esme.delivered("a")
        self.assertEqual((receipt["receipted_message_id"], receipt["message_state"]), (answer["message_id"], 2))

    def test_a_message_from_a_phone(self):
        to = {"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "15005550006"}
        text = {"source_addr_ton": 1, "source_addr_npi": 1, "source_addr": "447700900123",
                "data_coding": 8, "short_message": {"hex": "Да 🎉".encode("utf-16-be").hex()}}
        self.assertEqual(self.smsc.deliver(**to, **text)["command_status"], OK)
        pdu = self.esme.delivered("a")
        self.assertEqual((pdu["source_addr"], pdu["destination_addr"], pdu["esm_class"], pdu["data_coding"]),
                         ("447700900123", "15005550006", 0, 8))
        self.assertEqual(pdu["short_message"]["message"], "Да 🎉")
        # A number that is nobody's: the carrier is told to keep it.
        self.assertEqual(self.smsc.deliver(**{**to, "destination_addr": "15005550007"}, **text)["command_status"], 0x64)
        # Nobody is bound, and the gateway is killed: it waits.
        self.assertEqual(self.esme.call("a", "unbind")["command_status"], OK)
        for i in range(3):
            self.assertEqual(self.smsc.deliver(**to, **{**text, "data_coding": 0, "short_message": f"late {i}"})
                             ["command_status"], OK)
        self.world.gateway.kill()
        self.world.start_gateway()
        answer = self.esme.bind("b", self.world.gateway.ready["smpp"], system_id="app0")
        self.assertEqual(answer["command_status"], OK)
        self.assertEqual([text_of(self.esme.delivered("b")) for _ in range(3)], ["late 0", "late 1", "late 2"])


if __name__ == "__main__":
    if why := interop.missing():
        print(f"SKIPPED: applications over SMPP: {why}")
        sys.exit(77)
    unittest.main()

"""Carriers that differ from the book, played by a stack we did not write (npm's smpp): what the configuration says about
addresses, fields, TLVs, statuses and receipts is what they get, and how they are read."""
# ctest: TIMEOUT 300
import json
import os
import signal
import sys
import tempfile
import unittest

import harness
import interop
from harness import World, wait_until

PE_ID = "1101234567890123456"
HASH = "$argon2id$v=19$m=19456,t=2,p=1$j91RNqk6FRFpmynPwxofPg$PuZoSin3l3SB3Ako5x61Pv0nj1AUIEmS3f1En6rI534"  # demopass


class Carrier(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        self.addCleanup(directory.cleanup)
        self.smsc = interop.Smsc()
        self.addCleanup(self.smsc.close)
        self.world = World(directory.name)
        self.addCleanup(self.world.__exit__)

    def start(self, binds=1, **smpp):
        self.configure(binds=binds, **smpp)
        self.world.start_gateway()
        self.bound = self.smsc.wait_event(lambda e: e["event"].startswith("bind_"))["pdu"]
        self.connect()

    def connect(self):
        self.api = self.world.api()
        self.addCleanup(self.api.close)

    def configure(self, **smpp):
        config = harness.gateway_config(self.world.directory / "data", {"npm": {"address": self.smsc.address, **smpp}})
        self.world.config_path.write_text(json.dumps(config))

    def send(self, body="hello", **more):
        status, message, _ = self.api.request("POST", "/v1/messages", {"to": "+447700900123", "from": "Acme", "body": body,
                                                                       **more})
        self.assertEqual(status, 201, message)
        return message["id"]

    def message(self, message_id):
        return self.api.request("GET", f"/v1/messages/{message_id}")[1]

    def state(self, message_id, *states):
        return wait_until(f"{message_id} is {states}", 30,
                          lambda: (m := self.message(message_id))["status"] in states and m)

    def test_fields_and_addresses(self):
        self.start(interface_version="5.0", password="longer-than-eight", service_type="CMT", protocol_id=64,
                   priority_flag={"otp": 3}, validity="none", source={"alphanumeric": {"ton": 5, "npi": 1}},
                   destination={"rewrite": [{"match": "+44", "to": "0", "ton": 2, "npi": 8}, {"match": "+", "to": "00"}]})
        self.assertEqual((self.bound["interface_version"], self.bound["password"]), (0x50, "longer-than-eight"))
        message = self.send(**{"class": "otp"})
        pdu = self.smsc.submitted()
        self.assertEqual((pdu["service_type"], pdu["protocol_id"], pdu["priority_flag"], pdu["validity_period"]),
                         ("CMT", 64, 3, ""))
        self.assertEqual((pdu["source_addr_ton"], pdu["source_addr_npi"], pdu["source_addr"]), (5, 1, "Acme"))
        self.assertEqual((pdu["dest_addr_ton"], pdu["dest_addr_npi"], pdu["destination_addr"]), (2, 8, "07700900123"))
        # Its receipt names the number in the carrier's form, and is believed.
        self.state(message, "delivered")
        message = self.send(to="+15005550123")
        self.assertEqual(self.smsc.submitted()["destination_addr"], "0015005550123")
        self.state(message, "delivered")

    def test_ids_of_indias_dlt_from_the_metadata(self):
        self.start(tlvs=[{"tag": "0x1400", "value": "{metadata.pe_id}", "required": True},
                         {"tag": "0x1401", "value": "{metadata.template_id}"},
                         {"tag": "0x1402", "type": "int16", "value": "513"}])
        self.state(self.send(metadata={"pe_id": PE_ID, "template_id": "1107"}), "delivered")
        pdu = self.smsc.submitted()
        self.assertEqual(bytes.fromhex(pdu["5120"]["hex"]), PE_ID.encode() + b"\0")
        self.assertEqual(bytes.fromhex(pdu["5121"]["hex"]), b"1107\0")
        self.assertEqual(bytes.fromhex(pdu["5122"]["hex"]), b"\2\1")
        failed = self.state(self.send(metadata={"template_id": "1107"}), "failed")
        self.assertEqual(failed["error"], {"code": "unsuited", "raw": "tlv 0x1400: the message has no metadata.pe_id"})

    def test_texts_as_it_takes_them(self):
        self.start(text={"alphabets": ["gsm7", "latin1", "ucs2"], "single_shift": ["turkish"], "transliterate": "lookalikes",
                         "parts": "sar"})
        # Turkish in two parts of the GSM alphabet, where UCS-2 would need three.
        body = "aşk " * 40
        message = self.state(self.send(body), "delivered")
        self.assertEqual((message["encoding"], message["segments"]), ("gsm7", 2))
        parts = [self.smsc.submitted(), self.smsc.submitted()]
        self.assertEqual([(p["sar_total_segments"], p["sar_segment_seqnum"], p["data_coding"], p["esm_class"]) for p in parts],
                         [(2, 1, 0, 0x40), (2, 2, 0, 0x40)])
        message = self.state(self.send("“Grüße” – Ð"), "delivered")
        self.assertEqual((message["encoding"], message["segments"]), ("latin1", 1))
        pdu = self.smsc.submitted()
        self.assertEqual(pdu["data_coding"], 3)
        self.configure(binds=1, text={"parts": "payload"})
        self.world.gateway.kill(signal.SIGHUP)
        wait_until("the new options hold", 30, lambda: self.message(self.send("a" * 400))["segments"] == 1)
        pdu = self.smsc.submitted(lambda p: "message_payload" in p)
        self.assertEqual(len(str(pdu["message_payload"]["message"])), 400)

    def test_what_applications_and_phones_write_in_the_carriers_alphabet(self):
        """Texts and parts that an application made go in the form that each carrier takes, to the next one if it takes none;
        messages from phones are read by it, too."""
        narrow = interop.Smsc()
        self.addCleanup(narrow.close)
        tenant = {**harness.gateway_config("x", {"npm": "h:1"})["tenants"][0], "numbers": ["+15005550006"],
                  "smpp": [{"system_id": "app", "password_hash": HASH}]}
        listen = {name: {"address": "127.0.0.1:0"} for name in ("http", "smpp", "admin")}
        config = harness.gateway_config(self.world.directory / "data", {
            "narrow": {"address": narrow.address, "binds": 1,
                       "text": {"alphabet": "ascii", "alphabets": ["gsm7"], "parts": "sar", "data_coding": {"gsm7": 1}}},
            "npm": {"address": self.smsc.address, "binds": 1, "destination": {"rewrite": [{"match": "+", "to": "00"}]},
                    "text": {"alphabet": "latin1", "data_coding": {"ucs2": 24, "binary": 2}}}},
            listen=listen, tenants=[tenant])
        self.world.config_path.write_text(json.dumps(config))
        self.world.start_gateway()
        for smsc in (narrow, self.smsc):
            smsc.wait_event(lambda e: e["event"].startswith("bind_"))
        app = interop.Esme()
        self.addCleanup(app.close)
        app.bind("app", self.world.gateway.ready["smpp"], system_id="app")

        def submit(octets, data_coding=0, esm_class=0x40):
            answer = app.call("app", "submit_sm", source_addr_ton=5, source_addr="Acme", dest_addr_ton=1, dest_addr_npi=1,
                              destination_addr="447700900123", esm_class=esm_class, data_coding=data_coding,
                              short_message={"hex": octets.hex()})
            self.assertEqual(answer["command_status"], 0)

        def read(pdu):
            message = pdu["short_message"]["message"]
            return bytes.fromhex(message["hex"]) if isinstance(message, dict) else message

        # "hi_" of the GSM alphabet: ASCII, and the part in SAR parameters. (npm's smpp reads septets; 0x5f is its "§".)
        submit(bytes.fromhex("050003070201") + b"hi\x11")
        pdu = narrow.submitted()
        self.assertEqual((read(pdu), pdu["data_coding"], pdu["esm_class"]), ("hi§", 1, 0))
        self.assertEqual((pdu["sar_msg_ref_num"], pdu["sar_total_segments"], pdu["sar_segment_seqnum"]), (7, 2, 1))
        # Cyrillic, which the first carrier lacks; the other one wants it under 24.
        submit(bytes.fromhex("050003080201") + "Да".encode("utf-16-be"), 8)
        pdu = self.smsc.submitted()
        self.assertEqual((read(pdu), pdu["data_coding"], pdu["esm_class"]), ("Да", 24, 0x40))
        # Octets that are no text stay what they are.
        submit(bytes.fromhex("050003090201ff00fe"), 4)
        pdu = narrow.submitted()
        self.assertEqual((read(pdu), pdu["data_coding"]), (bytes.fromhex("ff00fe"), 4))
        # From a phone: Latin-1 under 0, to the number as this carrier writes it.
        answer = self.smsc.deliver(source_addr="00447700900123", destination_addr="0015005550006", data_coding=0,
                                   short_message={"hex": "fc40"})
        self.assertEqual(answer["command_status"], 0)
        pdu = app.wait_event(lambda e: e["event"] == "deliver_sm" and e["pdu"]["esm_class"] == 0)["pdu"]
        self.assertEqual((pdu["source_addr"], pdu["destination_addr"], pdu["data_coding"]), ("447700900123", "15005550006", 3))
        self.assertEqual(read(pdu), "ü@")

    def test_statuses_and_the_metric_of_those_that_lack(self):
        self.start(statuses={"ESME_RTHROTTLED": "fail"})
        self.smsc.do("refuse", status=0x58)
        failed = self.state(self.send(), "failed")
        self.assertEqual(failed["error"]["raw"], "ESME_RTHROTTLED 0x00000058")
        self.smsc.do("refuse", status=0x412)
        message = self.send()
        admin = self.world.admin()
        self.addCleanup(admin.close)
        wait_until("it is counted", 30, lambda: 'trunkline_unmapped_statuses_total{carrier="npm"}' in admin.get("/metrics"))
        self.assertIn("smpp.statuses: { 0x00000412", self.world.gateway.log_text())
        # The line that was missing, without a new bind.
        self.configure(binds=1, statuses={"0x0412": "fail"})
        self.world.gateway.kill(signal.SIGHUP)
        self.state(message, "failed")
        self.assertEqual([e for e in self.smsc.events if e["event"].startswith("bind_")], [])

    def test_receipts_as_it_writes_them(self):
        self.start(receipts={"id_in_response": {"base": "hex"}, "id_in_text": {"base": "decimal"},
                             "without_esm_class": True, "words": [{"is": "HANDSET_OK", "means": "delivered"}]})
        for style in ({"decimal": True}, {"decimal": True, "data_sm": True}, {"decimal": True, "esm_class": 0},
                      {"decimal": True, "stat": "handset_ok"}):
            with self.subTest(style=style):
                self.smsc.do("receipts", style=style)
                self.state(self.send(), "delivered")
                answer = self.smsc.wait_event(lambda e: e["event"] == "answered")["pdu"]
                self.assertEqual((answer["command"], answer["command_status"]),
                                 ("data_sm_resp" if "data_sm" in style else "deliver_sm_resp", 0))

    def test_receipts_that_do_not_come(self):
        self.start(receipts={"deadline": "10s"})
        self.smsc.do("receipts", style={"none": True})
        message = self.send()
        self.state(message, "submitted")
        self.world.gateway.kill()
        self.world.gateway.wait()
        self.world.start_gateway()
        self.connect()
        self.state(message, "uncertain")
        self.assertEqual(self.world.gateway.stop(), 0)
        # Not asked for any: nothing is waited for.
        self.configure(binds=1, registered_delivery="none")
        self.world.start_gateway()
        self.connect()
        self.smsc.events.clear()
        self.state(self.send("none"), "uncertain")
        self.assertEqual(self.smsc.submitted()["registered_delivery"], 0)


if __name__ == "__main__":
    if why := interop.missing():
        print(f"SKIPPED: carriers over SMPP: {why}")
        sys.exit(77)
    unittest.main()

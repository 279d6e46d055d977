"""What an application's account may have its own way: how its messages are classed, told of and known again; parts of one
message; duplicates. With a stack we did not write (npm's smpp) on both sides."""
# ctest: TIMEOUT 600
import json
import os
import re
import signal
import sys
import tempfile
import unittest

import harness
import interop
from harness import World, wait_until

HASH = "$argon2id$v=19$m=19456,t=2,p=1$j91RNqk6FRFpmynPwxofPg$PuZoSin3l3SB3Ako5x61Pv0nj1AUIEmS3f1En6rI534"  # demopass
OK, RINVMSGID = 0, 0x0c
TO = {"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "447700900123"}
FROM = {"source_addr_ton": 5, "source_addr_npi": 0, "source_addr": "Acme"}
MESSAGE = {**TO, **FROM, "registered_delivery": 1, "short_message": "hello"}
ACCOUNTS = {  # the first one gets the numbers that are nobody else's
    "plain": {},
    "joined": {"inbound": "joined", "numbers": ["+15005550006"]},
    "impatient": {"inbound": "joined", "inbound_wait": "2s", "numbers": ["+15005550007"]},
    "other": {}, "twins": {"dedup": "10m"},
    "vendor": {"class_tlv": {"tag": "0x1403", "values": [{"is": "campaign", "class": "marketing"}]}},
    "parser": {"receipts": {"id": "decimal10", "utc_offset": "+05:30", "dates": "seconds", "tlvs": False, "as": "data_sm"}},
}


def text_of(pdu, field="short_message"):
    body = pdu[field]
    message = body.get("message", body) if isinstance(body, dict) else body
    return bytes.fromhex(message["hex"]).decode("latin-1") if isinstance(message, dict) else message


class Accounts(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        self.addCleanup(directory.cleanup)
        self.carriers = {}
        for name in ("alpha", "beta"):
            self.carriers[name] = interop.Smsc()
            self.addCleanup(self.carriers[name].close)
        self.esme = interop.Esme()
        self.addCleanup(self.esme.close)
        port = self.esme.do("listen", name="called", bind={"system_id": "called", "password": "demopass"})["port"]
        self.accounts = {**ACCOUNTS, "called": {"outbind": {"host": "127.0.0.1", "port": port, "password": "secret"}}}
        self.world = World(directory.name)
        self.addCleanup(self.world.__exit__)
        self.write_config("alpha", "beta")
        self.start()

    def write_config(self, *via):
        listen = {name: {"address": "127.0.0.1:0"} for name in ("http", "smpp", "admin")}
        addresses = {name: {"address": smsc.address, "reconnect_max": "200ms"} for name, smsc in self.carriers.items()}
        config = harness.gateway_config(self.world.directory / "data", addresses, listen=listen)
        config["tenants"][0]["numbers"] = ["+15005550006", "+15005550007", "+15005550008"]
        config["routes"] = [{"name": "default", "via": [{"carrier": name} for name in via]}]
        config["tenants"][0]["smpp"] = [{"system_id": name, "password_hash": HASH, **more}
                                        for name, more in self.accounts.items()]
        self.world.config_path.write_text(json.dumps(config))

    def start(self):
        self.world.start_gateway()
        self.address = self.world.gateway.ready["smpp"]
        for smsc in self.carriers.values():
            for _ in range(2):
                smsc.wait_event(lambda e: e["event"] == "bind_transceiver")
        wait_until("the links are known to be up", 30, lambda: all(
            self.metric("trunkline_carrier_up", carrier=name) == 1 for name in self.carriers))

    def restart(self):
        self.world.gateway.kill()
        self.world.gateway.wait()
        self.start()

    def metric(self, name, **labels):
        admin = self.world.admin()
        try:
            return harness.total(harness.metrics(admin), name, **labels)
        finally:
            admin.close()

    def bind(self, account, name="a", **more):
        answer = self.esme.bind(name, self.address, system_id=account, **more)
        self.assertEqual(answer["command_status"], OK, answer)

    def submit(self, name="a", expect=OK, **fields):
        answer = self.esme.call(name, "submit_sm", **{**MESSAGE, **fields})
        self.assertEqual(answer["command_status"], expect, answer)
        return answer["message_id"]

    def part(self, index, reference=7, **fields):
        octets = bytes([5, 0, 3, reference, 4, index]) + f"part {index}".encode()
        return self.submit(esm_class=0x40, short_message={"hex": octets.hex()}, **fields)

    def assert_went_to(self, carrier, text):
        self.carriers[carrier].submitted(lambda pdu: text_of(pdu).endswith(text))

    def test_parts_stay_together(self):
        self.bind("plain")
        self.part(2)
        self.assert_went_to("alpha", "part 2")
        # The routes change in between.
        self.write_config("beta")
        self.world.gateway.kill(signal.SIGHUP)
        def goes_to_beta():
            self.submit(short_message="alone")
            return wait_until("it is somewhere", 10, lambda: [
                name for name, smsc in self.carriers.items()
                if any(e["event"] == "submit_sm" and text_of(e["pdu"]) == "alone" for e in smsc.events)]) and any(
                    e["event"] == "submit_sm" for e in self.carriers["beta"].events)
        wait_until("the new routes are in force", 30, goes_to_beta)
        self.part(1)
        self.assert_went_to("alpha", "part 1")
        # The gateway is killed in between.
        self.restart()
        self.bind("plain")
        self.part(4)
        self.assert_went_to("alpha", "part 4")
        # Their carrier goes away: better over another one than not at all.
        self.carriers["alpha"].close()
        wait_until("alpha is down", 30, lambda: self.metric("trunkline_carrier_up", carrier="alpha") == 0)
        self.part(3)
        self.assert_went_to("beta", "part 3")
        self.part(1, reference=8)
        self.assert_went_to("beta", "part 1")

    def test_the_same_submit_again_is_the_same_message(self):
        self.bind("twins")
        first = self.submit(user_message_reference=7)
        self.assertEqual(self.submit(user_message_reference=7), first)
        other = self.submit(user_message_reference=8)
        self.assertNotEqual(other, first)
        self.assertNotEqual(self.submit(user_message_reference=7, destination_addr="447700900124"), first)
        parts = [self.part(i, user_message_reference=9) for i in (1, 2)]
        self.assertEqual(len(set(parts)), 2)
        self.assertEqual(self.part(1, user_message_reference=9), parts[0])
        self.restart()
        self.bind("twins")
        self.assertEqual(self.submit(user_message_reference=7), first)
        self.bind("plain", "p")  # who has not asked for it gets a message each time
        self.assertNotEqual(self.submit("p", user_message_reference=7), self.submit("p", user_message_reference=7))
        def sent():  # two links: what was submitted later may be there before
            return len([e for smsc in self.carriers.values() for e in smsc.events
                        if e["event"] == "submit_sm" and text_of(e["pdu"]) == "hello"])
        wait_until("all are at the carrier", 10, lambda: sent() >= 5)
        self.submit("p", short_message="the last")
        self.carriers["alpha"].wait_event(lambda e: e["event"] == "submit_sm" and text_of(e["pdu"]) == "the last")
        self.assertEqual(sent(), 5)

    def test_short_ids_of_3_3(self):
        self.bind("plain", interface_version=0x33)
        number = self.submit(schedule_delivery_time="000001000000000R")
        self.assertRegex(number, r"^[0-9a-f]{8}$")
        self.restart()
        self.bind("plain", interface_version=0x33)
        self.bind("other", "b", interface_version=0x33)
        answer = self.esme.call("a", "query_sm", message_id=number, **FROM)
        self.assertEqual((answer["command_status"], answer["message_id"], answer["message_state"]), (OK, number, 0), answer)
        for name, unknown in (("b", number), ("a", f"{int(number, 16) ^ 1:08x}"), ("a", "what")):
            self.assertEqual(self.esme.call(name, "query_sm", message_id=unknown, **FROM)["command_status"], RINVMSGID)
        self.assertEqual(self.esme.call("a", "cancel_sm", message_id=number, **FROM, **TO)["command_status"], OK)
        receipt = text_of(self.esme.delivered("a"))
        self.assertTrue(receipt.startswith(f"id:{number} "), receipt)
        self.assertIn("stat:DELETED", receipt)

    def phone(self, to, **fields):
        answer = self.carriers["alpha"].deliver(
            dest_addr_ton=1, dest_addr_npi=1, destination_addr=to, source_addr_ton=1, source_addr_npi=1,
            source_addr="447700900123", **fields)
        self.assertEqual(answer["command_status"], OK, answer)

    def phone_part(self, to, index, octets, total=3, reference=9, **fields):
        header = bytes([5, 0, 3, reference, total, index])
        self.phone(to, esm_class=0x40, short_message={"hex": (header + octets).hex()}, **fields)

    def test_parts_from_phones_are_joined(self):
        self.bind("joined")
        text = "Да, 🎉 " * 12
        octets = text.encode("utf-16-be")
        pieces = [octets[:10], octets[10:110], octets[110:]]  # the first cut goes through the emoji's pair
        self.assertEqual(octets[8:10], b"\xd8\x3c")
        self.phone_part("15005550006", 3, pieces[2], data_coding=8)
        self.phone_part("15005550006", 3, pieces[2], data_coding=8)
        # The gateway is killed in between; what was acknowledged is there.
        self.restart()
        self.bind("joined")
        self.phone_part("15005550006", 1, pieces[0], data_coding=8)
        self.phone_part("15005550006", 2, pieces[1], data_coding=8)
        pdu = self.esme.delivered("a")
        self.assertEqual((text_of(pdu), pdu["esm_class"], pdu["data_coding"]), (text, 0, 8))
        self.assertEqual((pdu["source_addr"], pdu["destination_addr"]), ("447700900123", "15005550006"))
        # Told as message_payload where it is long, in the account's alphabet; SAR as well.
        text = "0123456789" * 30
        for i in (2, 1):
            self.phone("15005550006", short_message=text[150 * (i - 1):150 * i], sar_msg_ref_num=300,
                       sar_total_segments=2, sar_segment_seqnum=i)
        pdu = self.esme.delivered("a")
        self.assertEqual((text_of(pdu, "message_payload"), pdu["esm_class"], pdu["data_coding"]), (text, 0, 0))
        # What is no part is told as it came. Everything was told once.
        self.phone("15005550006", short_message="alone")
        self.assertEqual(text_of(self.esme.delivered("a")), "alone")
        wait_until("all is confirmed", 10, lambda: self.metric("trunkline_notices_total", result="confirmed") == 6)
        self.assertEqual(self.world.gateway.stop(), 0)
        self.start()
        self.bind("joined")
        self.phone("15005550006", short_message="the last")
        self.assertEqual(text_of(self.esme.delivered("a")), "the last")

    def test_what_came_is_told_in_time(self):
        self.bind("impatient")
        self.phone_part("15005550007", 3, b" third")
        self.phone_part("15005550007", 1, b"first ")
        self.assertEqual(text_of(self.esme.delivered("a")), "first […] third")
        # Who did not ask for it gets the parts, with a header where the carrier had parameters.
        self.bind("plain", "p")
        self.phone_part("15005550008", 1, b"by header")
        self.phone("15005550008", short_message="by SAR", sar_msg_ref_num=9, sar_total_segments=3, sar_segment_seqnum=2)
        for index, text in ((1, "by header"), (2, "by SAR")):
            pdu = self.esme.delivered("p")
            self.assertEqual((pdu["esm_class"], text_of(pdu)), (0x40, text))
            self.assertIn(f"000309030{index}", json.dumps(pdu["short_message"]["udh"]))

    def test_an_application_is_called(self):
        self.bind("called", "t", command="bind_transmitter")
        number = self.submit("t")
        outbind = self.esme.wait_event(lambda e: e["event"] == "outbind")
        self.assertEqual((outbind["name"], outbind["pdu"]["system_id"], outbind["pdu"]["password"]),
                         ("called", "trunkline", "secret"))
        self.assertEqual(self.esme.delivered("called")["receipted_message_id"], number)
        # It stays, so there is nothing to call it for.
        number = self.submit("t")
        self.assertEqual(self.esme.delivered("called")["receipted_message_id"], number)
        self.assertFalse([e for e in self.esme.events if e["event"] == "outbind"])

    def test_class_by_a_vendors_parameter(self):
        self.esme.do("tlv", tag=0x1403, name="vendor_class")
        self.bind("vendor")
        for value, traffic_class in (("CAMPAIGN", "marketing"), ("else", "transactional")):
            number = self.submit(vendor_class=value)
            self.assertEqual(self.world.api().get(f"/v1/messages/msg_{number}")["class"], traffic_class)

    def test_receipts_as_the_parser_expects_them(self):
        self.bind("parser")
        number = self.submit()
        pdu = self.esme.wait_event(lambda e: e["event"] == "data_sm")["pdu"]
        text = text_of(pdu, "message_payload")
        match = re.fullmatch(r"id:(\d+) sub:001 dlvrd:001 submit date:\d{12} done date:\d{12} stat:DELIVRD err:000 text:", text)
        self.assertTrue(match, text)
        self.assertEqual(int(match[1]), int(number, 16))
        self.assertEqual(pdu["esm_class"], 4)
        self.assertNotIn("receipted_message_id", pdu)
        wait_until("it is confirmed", 10, lambda: self.metric("trunkline_notices_total", result="confirmed") == 1)


if __name__ == "__main__":
    if why := interop.missing():
        print(f"SKIPPED: accounts over SMPP: {why}")
        sys.exit(77)
    unittest.main()

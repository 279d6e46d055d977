"""SMPP over TLS through the binary, with npm's smpp (node's TLS) and Python's ssl on the other side: both directions,
mutual TLS, pins, what is refused and what the log says of it, reloads, kill -9."""
# ctest: TIMEOUT 600
import json
import os
import signal
import socket
import ssl
import sys
import tempfile
import time
import unittest
from pathlib import Path

import certificates
import harness
import interop
from harness import World, wait_until
from smpp_esme_test import HASH, MESSAGE, OK, RECEIPT, text_of

ACCOUNTS = [f"app{i}" for i in range(10)]


def events(process, name):
    """The log's lines of this event."""
    lines = []
    for line in process.log_text().splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            continue
    return [line for line in lines if line.get("event") == name]


def said(process, event, *words):
    """Waits until such a line holds all the words."""
    return wait_until(f"{event} says {words}", 20, lambda: next(
        (line for line in events(process, event) if all(word in json.dumps(line) for word in words)), None))


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        cls.addClassCleanup(temporary.cleanup)
        cls.directory = Path(temporary.name)
        cls.authority = certificates.make(cls.directory, "authority", authority=True)
        cls.stranger = certificates.make(cls.directory, "stranger", authority=True)
        cls.own = certificates.make(cls.directory, "own", cls.authority)
        cls.app = certificates.make(cls.directory, "app", cls.authority)


class Listener(Case):
    """Applications over TLS."""
    client_ca = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        base = harness.gateway_config("x", {"alpha": "h:1"})["tenants"][0]
        tenants = [{**base, "smpp": [{"system_id": name, "password_hash": HASH, "window": 1_000} for name in ACCOUNTS]}]
        tls = {"address": "127.0.0.1:0", **cls.own.identity, **({"client_ca": cls.client_ca(cls)} if cls.client_ca else {})}
        listen = {"http": {"address": "127.0.0.1:0"}, "smpp_tls": tls, "admin": {"address": "127.0.0.1:0"}}
        cls.world = World(cls.directory, [harness.carrier_spec("alpha")], listen=listen, tenants=tenants)
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.start()
        wait_until("links are bound", 30, cls.world.bound)
        cls.accounts = iter(ACCOUNTS)

    def setUp(self):
        self.account = next(self.accounts)
        self.esme = interop.Esme()
        self.addCleanup(self.esme.close)
        self.trust = {"ca": self.authority.pem}

    @property
    def address(self):
        return self.world.gateway.ready["smpp_tls"]

    def bind(self, name="a", **more):
        answer = self.esme.bind(name, self.address, **{"system_id": self.account, "tls": self.trust, **more})
        self.assertEqual(answer["command_status"], OK, answer)

    def submit(self, name="a", **fields):
        answer = self.esme.call(name, "submit_sm", **{**MESSAGE, **fields})
        self.assertEqual(answer["command_status"], OK, answer)
        return answer["message_id"]

    def receipt(self, name=None):
        return RECEIPT.fullmatch(text_of(self.esme.delivered(name)))[1]

    def raw(self, context=None):
        host, _, port = self.address.rpartition(":")
        peer = socket.create_connection((host, int(port)), timeout=30)
        self.addCleanup(peer.close)
        if context is None:
            return peer
        peer = context.wrap_socket(peer, server_hostname="localhost")
        self.addCleanup(peer.close)
        return peer


class Tls(Listener):
    def test_submit_and_its_receipt(self):
        self.bind()
        number = self.submit(short_message="over TLS")
        self.assertEqual(self.receipt(), number)
        self.assertNotIn("smpp", self.world.gateway.ready)  # instead of the listener without
        line = said(self.world.gateway, "esme_bound", self.account)
        self.assertIn("TLSv1.3", json.dumps(line))
        long = "a long text " * 400
        number = self.submit(message_payload={"message": long}, short_message="")
        self.assertEqual(self.receipt(), number)
        for _ in range(300):
            self.esme.start("call", name="a", command="submit_sm", pdu={**MESSAGE, "registered_delivery": 0})
        number = self.submit()
        self.assertEqual(self.receipt(), number)
        self.assertEqual(self.esme.call("a", "unbind")["command_status"], OK)
        self.esme.wait_event(lambda e: e["event"] == "close")

    def test_a_client_that_does_not_know_our_authority(self):
        with self.assertRaises(ConnectionError):
            self.bind(tls={"ca": self.stranger.pem})
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.raw(ssl.create_default_context(cafile=self.stranger.file))
        said(self.world.gateway, "esme_tls_refused", "refused our certificate")

    def test_what_is_not_tls_or_too_old(self):
        peer = self.raw()
        peer.sendall(b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\1")
        try:
            while peer.recv(100):
                pass
        except ConnectionResetError:
            pass
        said(self.world.gateway, "esme_tls_refused", "does not speak TLS")
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(self.authority.file)
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.maximum_version = old.minimum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises(OSError):
            self.raw(old)
        tls12 = ssl.create_default_context(cafile=self.authority.file)
        tls12.maximum_version = ssl.TLSVersion.TLSv1_2
        self.assertEqual(self.raw(tls12).version(), "TLSv1.2")

    def test_slow_handshakes_cost_little_and_slow_nobody(self):
        self.bind()
        gateway = self.world.gateway
        self.submit()
        before = harness.memory(gateway.pid)
        silent = [self.raw() for _ in range(300)]
        wait_until("they are accepted", 10, lambda: len(os.listdir(f"/proc/{gateway.pid}/fd")) > 300)
        each_silent = (harness.memory(gateway.pid) - before) / len(silent) / 1024
        # The first half of a client's hello; more of it never comes.
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        hello = ssl.create_default_context(cafile=self.authority.file).wrap_bio(incoming, outgoing, server_hostname="x")
        try:
            hello.do_handshake()
        except ssl.SSLWantReadError:
            pass
        half = outgoing.read()[:-30]
        before = harness.memory(gateway.pid)
        for peer in silent:
            peer.sendall(half)
        for _ in range(50):
            self.submit(registered_delivery=0)
        each_half = (harness.memory(gateway.pid) - before) / len(silent) / 1024
        print(f"KiB a connection: {each_silent:.1f} silent, {each_half:.1f} amid its handshake")
        self.assertLess(each_silent, 16)
        self.assertLess(each_half, 100)

    def test_a_storm_of_handshakes(self):
        self.bind()
        context = ssl.create_default_context(cafile=self.authority.file)
        for _ in range(100):
            self.raw(context).close()
        self.assertEqual(len(self.submit()), 32)

    def test_kill_between(self):
        self.bind("t", command="bind_transmitter")
        ids = {self.submit("t") for _ in range(20)}
        self.world.gateway.kill()
        self.world.gateway.wait()
        self.world.start_gateway()
        self.bind("r")
        self.assertEqual({self.receipt("r") for _ in range(20)}, ids)


class Reload(Listener):
    def shown(self):
        return self.raw(ssl.create_default_context(cafile=self.authority.file)).getpeercert()["subject"][0][0][1]

    def test_certificates_are_read_again(self):
        gateway = self.world.gateway
        self.bind()
        self.assertEqual(self.shown(), "own")
        good = (self.own.pem, self.own.key_pem)
        self.own.key.write_text(self.app.key_pem)  # not the certificate's
        gateway.kill(signal.SIGHUP)
        said(gateway, "reload_refused", "the key is not that of the first certificate", "listen.smpp_tls.key")
        self.assertEqual(self.shown(), "own")
        self.own.file.write_text(self.app.pem)
        gateway.kill(signal.SIGHUP)
        wait_until("the new certificate is shown", 10, lambda: self.shown() == "app")
        number = self.submit()  # the connection there was goes on
        self.assertEqual(self.receipt(), number)
        self.own.file.write_text(good[0])
        self.own.key.write_text(good[1])


class Mutual(Listener):
    def client_ca(cls):
        return str(cls.authority.file)

    def refused(self, tls, *words):
        try:
            self.esme.do("connect", name="x", url=f"ssmpp://{self.address}", options={**self.trust, **tls})
            self.esme.start("call", name="x", command="bind_transceiver", pdu={})
            self.esme.wait_event(lambda e: e["event"] in ("error", "close"))
        except ConnectionError:
            pass
        said(self.world.gateway, "esme_tls_refused", *words)

    def test_who_gets_in(self):
        self.refused({}, "showed no certificate")
        other = certificates.make(self.directory, "other", self.stranger)
        time.sleep(1.1)  # a line a second
        self.refused({"cert": other.pem, "key": other.key_pem}, "not from an authority in smpp_tls.client_ca")
        self.bind(tls={**self.trust, "cert": self.app.pem, "key": self.app.key_pem})
        number = self.submit()
        self.assertEqual(self.receipt(), number)


class Carrier(Case):
    """Carriers over TLS: npm's smpp is the SMSC."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(dir=self.directory)
        self.addCleanup(directory.cleanup)
        self.world = World(directory.name)
        self.addCleanup(self.world.__exit__)

    def smsc(self, own=None, **more):
        own = own or self.own
        smsc = interop.Smsc(tls={"cert": own.pem, "key": own.key_pem, **more})
        self.addCleanup(smsc.close)
        return smsc

    def configure(self, smsc, **tls):
        at = {"address": smsc.address, "binds": 1, "reconnect_max": "200ms", "tls": tls}
        config = harness.gateway_config(self.world.directory / "data", {"alpha": at})
        self.world.config_path.write_text(json.dumps(config))

    def links_up(self):
        return self.world.admin().get("/v1/carriers")["data"][0]["links_up"]

    def through(self, smsc, token):
        status, message = self.world.api().post("/v1/messages", {"to": "+447700900123", "body": token, "from": "Acme"})
        self.assertEqual(status, 201, message)
        smsc.submitted(lambda pdu: text_of(pdu) == token)
        wait_until("delivered", 20, lambda: self.world.api().get(f"/v1/messages/{message['id']}")["status"] == "delivered")

    def good(self, smsc, **tls):
        self.configure(smsc, **tls)
        if self.world.gateway and self.world.gateway.running():
            self.world.gateway.kill(signal.SIGHUP)
        else:
            self.world.start_gateway()
        wait_until("the link is bound", 20, self.links_up)
        self.through(smsc, f"good {len(json.dumps(tls))} {time.monotonic_ns()}")

    def bad(self, smsc, *words, **tls):
        self.configure(smsc, **tls)
        gateway = self.world.start_gateway()
        said(gateway, "connect_failed", *words)
        self.assertEqual(self.links_up(), 0)

    def test_own_authority_and_a_kill_between(self):
        smsc = self.smsc()
        self.good(smsc, ca=str(self.authority.file))
        said(self.world.gateway, "link_up", "TLSv1.3")
        self.world.gateway.kill()
        self.world.gateway.wait()
        self.good(smsc, ca=str(self.authority.file), server_name="localhost")

    def test_a_pin(self):
        smsc = self.smsc()
        self.bad(smsc, "set tls.pin", self.own.pin, pin="sha256:" + "0" * 64)
        self.good(smsc, pin=["sha256:" + "0" * 64, self.own.pin])  # by a reload

    def test_another_authority(self):
        smsc = self.smsc()
        self.bad(smsc, "not from a trusted authority", "tls.ca", self.own.pin, ca=str(self.stranger.file))
        self.good(smsc, ca=str(self.authority.file))

    def test_the_system_does_not_know_it(self):
        self.bad(self.smsc(), "not from a trusted authority")

    def test_another_name(self):
        self.bad(self.smsc(), "is for localhost, 127.0.0.1, not for smsc.example.com", "tls.server_name",
                 ca=str(self.authority.file), server_name="smsc.example.com")

    def test_an_expired_one(self):
        old = certificates.make(self.directory, "old", self.authority, days=-1)
        self.bad(self.smsc(old), "expired on", ca=str(self.authority.file))

    def test_one_without_tls(self):
        smsc = interop.Smsc()
        self.addCleanup(smsc.close)
        self.bad(smsc, "TLS", ca=str(self.authority.file))

    def test_mutual(self):
        smsc = self.smsc(requestCert=True, rejectUnauthorized=True, ca=self.authority.pem)
        ca = str(self.authority.file)
        self.configure(smsc, ca=ca)
        gateway = self.world.start_gateway()
        said(gateway, "connect_failed", "TLS", "certificate")
        self.good(smsc, ca=ca, **self.app.identity)
        other = certificates.make(self.directory, "unknown", self.stranger)
        self.world.gateway.kill()
        self.world.gateway.wait()
        self.configure(smsc, ca=ca, **other.identity)
        gateway = self.world.start_gateway()
        said(gateway, "connect_failed", "TLS")
        self.assertEqual(self.links_up(), 0)


class Check(Case):
    """What is found before anything runs."""

    def check(self, **tls):
        config = harness.gateway_config("x", {"alpha": {"address": "127.0.0.1:1", **({"tls": tls["carrier"]} if "carrier" in tls else {})}})
        if "listener" in tls:
            config["listen"]["smpp_tls"] = {"address": "127.0.0.1:0", **tls["listener"]}
        path = self.directory / "check.yaml"
        path.write_text(json.dumps(config, indent=1))
        done = harness.run("check", path)
        serve = harness.run("serve", "--config", path) if done.returncode else None
        return done, serve

    def test_files(self):
        gone = str(self.directory / "gone.pem")
        for words, settings in (
                (("No such file", "listen.smpp_tls.certificate", "gone.pem"),
                 {"listener": {**self.own.identity, "certificate": gone}}),
                (("the key is not that of the first certificate", "listen.smpp_tls.key", "name the key"),
                 {"listener": {**self.own.identity, "key": str(self.app.key)}}),
                (("No such file", "listen.smpp_tls.client_ca"), {"listener": {**self.own.identity, "client_ca": gone}}),
                (("No such file", "carriers[0].smpp.tls.ca"), {"carrier": {"ca": gone}}),
                (("holds a key", "carriers[0].smpp.tls.certificate"),
                 {"carrier": {"certificate": str(self.app.key), "key": str(self.app.key)}})):
            done, serve = self.check(**settings)
            self.assertEqual(done.returncode, 2, done.stdout)
            self.assertRegex(done.stdout, r"check\.yaml:\d+:\d+: error: ")
            for word in words:
                self.assertIn(word, done.stdout)
                self.assertIn(word, serve.stderr)
            self.assertEqual(serve.returncode, 2)

    def test_an_expired_certificate_is_warned_of(self):
        old = certificates.make(self.directory, "expired", self.authority, days=-1)
        done, _ = self.check(listener=old.identity)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"check\.yaml:\d+:\d+: warning: .*expired on .*listen\.smpp_tls\.certificate")

    def test_good(self):
        done, _ = self.check(listener=self.own.identity, carrier={})
        self.assertEqual((done.returncode, "smpp" in done.stdout), (0, False), done.stdout)


if __name__ == "__main__":
    if why := interop.missing():
        print(f"SKIPPED: SMPP over TLS: {why}")
        sys.exit(77)
    unittest.main(warnings="ignore")

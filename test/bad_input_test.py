"""What goes wrong outside: clients that send nonsense, configurations with mistakes, ports and disks that are not
there, files that were damaged. A clear error each time, nothing lost, and the process up or gone with a documented
exit code."""
import contextlib
import glob
import hashlib
import json
import os
import socket
import tempfile
import time
import unittest

import harness
from harness import KEY, Process, World, wait_until

MESSAGE = {"to": "+447700900123", "body": "hello"}


class Case(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.world = World(self.directory)
        self.addCleanup(self.world.__exit__)


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        cls.addClassCleanup(directory.cleanup)
        cls.world = World(directory.name)
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.start()
        cls.address = cls.world.gateway.ready["http"]
        cls.api = cls.world.api()

    def tearDown(self):
        """It is still there, and in its right mind."""
        self.assertTrue(self.world.gateway.running(), self.world.gateway.log_tail())
        status, message = self.world.api().post("/v1/messages", MESSAGE)
        self.assertEqual(status, 201, message)

    def connect(self):
        host, _, port = self.address.rpartition(":")
        connection = socket.create_connection((host, int(port)), timeout=60)
        self.addCleanup(connection.close)
        return connection

    def raw(self, data):
        """Everything the server says to these bytes, until it closes; sending may be cut short by that."""
        connection = self.connect()
        with contextlib.suppress(OSError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        out = b""
        with contextlib.suppress(OSError):
            while piece := connection.recv(65536):
                out += piece
        return out

    def refused(self, body, status, code, pointer=None, headers=None, path="/v1/messages"):
        got, problem = self.api.post(path, body, headers)
        self.assertEqual((got, problem["code"]), (status, code), problem)
        self.assertEqual(problem["status"], status)
        self.assertTrue(problem["title"] and problem["detail"], problem)
        if pointer is not None:
            self.assertEqual([e["pointer"] for e in problem["errors"]], [pointer], problem)
        return problem

    def test_bodies_that_are_no_message(self):
        json_type = {"Content-Type": "application/json"}
        for name, body in {"cut": b'{"to":"+4477', "empty": b"", "list": b"[]", "number": b"1", "words": b"hello",
                           "two": b'{"to":"x"}{"to":"y"}', "bad utf-8": b'{"to":"+447700900123","body":"\xff\xfe"}',
                           "lone surrogate": b'{"to":"+447700900123","body":"\\ud83d"}',
                           "deep": b'{"metadata":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
                           "nul": b'{"to":"+447700900123","body":"\x00"}'}.items():
            with self.subTest(name):
                self.refused(body, 400, "invalid_request", headers=json_type)

    def test_fields_that_are_wrong(self):
        for pointer, change in {"/too": {"too": "x"}, "/to": {"to": "nobody"}, "/body": {"body": 5},
                                "/class": {"class": "spam"}, "/ttl": {"ttl": "soon"},
                                "/send_at": {"send_at": "tomorrow"}, "/from": {"from": "x" * 40},
                                "/metadata": {"metadata": "x"}}.items():
            with self.subTest(pointer):
                self.refused({**MESSAGE, **change}, 400, "invalid_request", pointer)
        for number in ("", "+", "0044", "+44770090012a", "+4477009001234567890", "447700900123 x"):
            with self.subTest(number):
                self.refused({**MESSAGE, "to": number}, 400, "invalid_request", "/to")

    def test_who_has_no_key_gets_nothing(self):
        for headers in ({"Authorization": ""}, {"Authorization": "Bearer nonsense"}, {"Authorization": KEY},
                        {"Authorization": "Basic " + KEY}, {"Authorization": "Bearer " + "x" * 10_000}):
            with self.subTest(headers["Authorization"][:20]):
                self.refused(MESSAGE, 401, "unauthorized", headers=headers)

    def test_a_body_of_10_mb_is_refused_without_being_read(self):
        size = 10 * 1024 * 1024
        head = (f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n").encode()
        self.assertIn(b" 413 ", self.raw(head + b" " * size).partition(b"\r\n")[0])
        before = harness.memory(self.world.gateway.pid)
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        chunked = head.replace(f"Content-Length: {size}".encode(), b"Transfer-Encoding: chunked") + chunk * 160
        self.assertIn(b" 413 ", self.raw(chunked).partition(b"\r\n")[0])
        self.assertLess(harness.memory(self.world.gateway.pid) - before, size, "the body was kept")

    def test_bytes_that_are_no_http(self):
        post = f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
        for name, data in {"noise": bytes(range(256)) * 20, "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                           "smpp": b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\1", "no host": b"GET / HTTP/1.1\r\n\r\n",
                           "two lengths": (post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}").encode(),
                           "length and chunks": (post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
                                                        "0\r\n\r\n").encode(),
                           "negative length": (post + "Content-Length: -1\r\n\r\n").encode(),
                           "endless head": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 20_000,
                           "endless line": b"GET /" + b"x" * 200_000}.items():
            with self.subTest(name):
                answer = self.raw(data)
                if answer:
                    self.assertRegex(answer.partition(b"\r\n")[0], rb"^HTTP/1\.1 4\d\d ")

    def test_half_open_and_slow_clients_keep_nobody_waiting(self):
        request = (f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
                   "Content-Length: 40\r\n\r\n").encode()
        silent = [self.connect() for _ in range(50)]
        for i, connection in enumerate(silent):
            connection.sendall(request[:i * 2])
        start = time.monotonic()
        for _ in range(20):
            self.assertEqual(self.world.api().post("/v1/messages", MESSAGE)[0], 201)
        self.assertLess(time.monotonic() - start, 10)
        # Who has begun a head is shut out when its time is over; a guard of 6 times that.
        silent[20].settimeout(60)
        with contextlib.suppress(ConnectionError):
            while silent[20].recv(1000):
                pass

    def test_who_hangs_up_early_breaks_nothing(self):
        request = (f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
                   f"Content-Length: {len(json.dumps(MESSAGE))}\r\n\r\n{json.dumps(MESSAGE)}").encode()
        for i in range(60):
            connection = self.connect()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # RST
            connection.sendall(request * 3 if i % 2 else request[:100])
            connection.close()

    def test_paths_and_methods(self):
        for method, path, status in (("GET", "/", 404), ("GET", "/v1/messages/nonsense", 404),
                                     ("GET", "/v1/messages/msg_" + "0" * 32, 404), ("DELETE", "/v1/messages", 405),
                                     ("GET", "/v1/messages?limit=0", 400), ("GET", "/v1/messages?limit=x", 400),
                                     ("GET", "/v1/messages?cursor=nonsense", 400),
                                     ("GET", "/v1/messages?colour=red", 400),
                                     ("GET", "/v1/messages/../../etc/passwd", 404),
                                     ("POST", "/v1/messages/msg_" + "0" * 32 + "/cancel", 404)):
            with self.subTest(f"{method} {path}"):
                got, problem, _ = self.api.request(method, path)
                self.assertEqual(got, status, problem)

    def test_a_batch_beyond_its_bounds(self):
        self.refused({"messages": []}, 400, "invalid_request", path="/v1/messages/batch")
        self.refused({"messages": [MESSAGE] * 1001}, 400, "invalid_request", path="/v1/messages/batch")
        self.refused({"messages": [MESSAGE], "x": 1}, 400, "invalid_request", path="/v1/messages/batch")


class Configuration(Case):
    def test_a_mistake_names_its_place(self):
        self.world.start_simulator()
        self.world.write_config()
        text = self.world.config_path.read_text().replace('"window": 50', '"windwo": 50')
        self.world.config_path.write_text(text)
        line = next(i for i, l in enumerate(text.splitlines(), 1) if "windwo" in l)
        gateway = self.world.spawn_gateway()
        self.assertIsNone(gateway.wait_ready())
        self.assertEqual(gateway.wait(), 2)
        self.assertRegex(gateway.log_text(), rf"gateway\.yaml:{line}:\d+: error: .*windwo.*did you mean .window")

    def test_no_configuration(self):
        for path in ("/nonexistent.yaml", "/dev/null", self.directory):
            done = harness.run("serve", "--config", path)
            self.assertEqual(done.returncode, 2, path)
            self.assertTrue(done.stderr.strip(), path)

    def test_wrong_arguments(self):
        for arguments in ([], ["serve"], ["serve", "--konfig", "x"], ["nonsense"], ["load", "--key", "x"],
                          ["load", "--key", "x", "--count", "1", "--batch", "0"], ["simulate"],
                          ["load", "--key", "x", "--count", "1", "--api", "smpp"]):
            self.assertEqual(harness.run(*arguments).returncode, 2, arguments)

    def test_a_misspelt_failpoint_is_no_test(self):
        self.assertEqual(harness.run("version", env={"TRUNKLINE_FAILPOINTS": "no.such=kill"}).returncode, 2)

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            for listener in ("http", "admin"):
                with self.subTest(listener):
                    world = World(tempfile.mkdtemp(dir=self.directory))
                    self.addCleanup(world.__exit__)
                    world.start_simulator()
                    listen = {"http": {"address": "127.0.0.1:0"}, "admin": {"address": "127.0.0.1:0"}}
                    world.write_config(listen={**listen, listener: {"address": address}})
                    gateway = world.spawn_gateway()
                    self.assertIsNone(gateway.wait_ready())
                    self.assertEqual(gateway.wait(), 3, gateway.log_tail())
                    self.assertIn(address, gateway.log_text())
            path = os.path.join(self.directory, "s.yaml")
            with open(path, "w", encoding="utf-8") as file:
                json.dump({"carriers": [{**harness.carrier_spec("a"), "address": address}]}, file)
            done = harness.run("simulate", "--config", path)
            self.assertEqual(done.returncode, 3)
            self.assertIn(address, done.stderr)

    def test_nobody_there(self):
        address = f"http://127.0.0.1:{harness.free_port()}"
        for arguments in (["load", "--url", address, "--key", KEY, "--count", "1"],
                          ["send", "--url", address, "--key", KEY, "--to", "+447700900123", "--body", "x"],
                          ["trace", "--url", address, "--key", KEY, "msg_" + "0" * 32]):
            self.assertEqual(harness.run(*arguments).returncode, 3, arguments)


class Disk(Case):
    def start(self):
        self.world.start_simulator()
        self.world.write_config()

    def ends_with(self, code, arguments=(), env=None):
        gateway = self.world.spawn_gateway(arguments=arguments, env=env)
        self.assertIsNone(gateway.wait_ready(), "it came up")
        self.assertEqual(gateway.wait(), code, gateway.log_tail())
        return gateway.log_text()

    def test_a_path_that_cannot_be(self):
        self.world.start_simulator()
        self.world.write_config(store={"rocksdb": {"path": "/dev/null/data"}})
        self.assertIn("/dev/null/data", self.ends_with(4))

    def test_one_store_one_process(self):
        self.start()
        first = self.world.start_gateway()
        second = self.world.spawn_gateway()
        self.assertIsNone(second.wait_ready())
        self.assertEqual(second.wait(), 4, second.log_tail())
        self.assertTrue(first.running())
        self.world.gateway = first

    def test_data_without_its_keys(self):
        self.start()
        self.world.start_gateway()
        self.world.api().post("/v1/messages", MESSAGE)
        self.world.gateway.stop()
        os.rename(f"{self.directory}/data.keys", f"{self.directory}/elsewhere")
        self.assertIn("data.keys", self.ends_with(4))
        os.rename(f"{self.directory}/elsewhere", f"{self.directory}/data.keys")
        self.world.start_gateway()

    def test_a_full_disk_and_a_broken_one_lose_nothing(self):
        for fault in ("store.write=enospc@40", "store.fsync=eio@40"):
            with self.subTest(fault):
                world = World(tempfile.mkdtemp(dir=self.directory))
                self.addCleanup(world.__exit__)
                world.start_simulator()
                world.write_config()
                world.start_gateway(env={"TRUNKLINE_FAILPOINTS": fault})
                report = world.load(count=3000, connections=4, batch=20, idempotency=True,
                                    ledger=world.directory / "accepted.ndjson",
                                    attempted=world.directory / "attempted.ndjson")
                self.assertGreater(report["acknowledged"], 0)
                self.assertIn("503 store_unavailable", report["refused"])
                self.assertTrue(world.gateway.running())
                status, body, _ = world.admin().request("GET", "/readyz")
                self.assertEqual(status, 503)
                self.assertIn("store_failed", json.dumps(body))
                self.assertEqual(world.admin().request("GET", "/healthz")[0], 200)
                sent = world.control().get("/v1/carriers")["data"][0]["submits"]
                status, problem = world.api().post("/v1/messages", MESSAGE)
                self.assertEqual((status, problem["code"]), (503, "store_unavailable"))
                world.gateway.stop()
                self.assertEqual(world.control().get("/v1/carriers")["data"][0]["submits"], sent,
                                 "something was sent that could not be recorded")
                world.start_gateway()
                api = world.api()
                wait_until("all settled", 60, lambda: not any(harness.unsettled(api)), step=0.2)
                harness.write_messages(world.directory / "messages.ndjson", harness.all_messages(api))
                world.gateway.stop()
                world.simulator.stop()
                code, verdict, why = harness.verify(
                    world.directory / "accepted.ndjson", world.ledger, world.directory / "attempted.ndjson",
                    world.directory / "messages.ndjson")
                self.assertEqual(code, 0, (verdict, why))

    def test_damage_in_the_middle_of_the_journal(self):
        self.start()
        self.world.start_gateway()
        report = self.world.load(count=4000, connections=4, batch=50)
        self.assertEqual(report["acknowledged"], 4000)
        self.world.gateway.kill()
        self.world.gateway.wait()
        log = max(glob.glob(f"{self.directory}/data/**/*.log", recursive=True), key=os.path.getsize)
        with open(log, "r+b") as file:
            file.seek(os.path.getsize(log) // 2)
            file.write(b"\xa5" * 4096)
        before = checksums(f"{self.directory}/data")
        text = self.ends_with(4)
        self.assertIn("--accept-damage", text)
        after = checksums(f"{self.directory}/data")
        changed = [name for name in before | after if before.get(name) != after.get(name)]
        self.assertEqual(changed, [], "it changed what it could not read")
        self.world.start_gateway(arguments=["--accept-damage"])
        status, message = self.world.api().post("/v1/messages", MESSAGE)
        self.assertEqual(status, 201, message)
        self.assertEqual(self.world.gateway.stop(), 0)

    def test_a_torn_tail_is_what_a_crash_leaves(self):
        self.start()
        self.world.start_gateway()
        self.world.load(count=500, connections=4)
        self.world.gateway.kill()
        self.world.gateway.wait()
        log = max(glob.glob(f"{self.directory}/data/**/*.log", recursive=True), key=os.path.getmtime)
        with open(log, "ab") as file:
            file.write(b"\0" * 100 + b"torn" * 10)
        self.world.start_gateway()
        self.assertEqual(sum(1 for _ in harness.all_messages(self.world.api())), 500)


def checksums(directory):
    out = {}
    for path in sorted(glob.glob(f"{directory}/**", recursive=True)):
        # Logs of events are no data, and locks hold the number of the process.
        if os.path.isfile(path) and os.path.basename(path) not in ("LOG", "LOCK", "lock") and "LOG.old" not in path:
            with open(path, "rb") as file:
                out[os.path.relpath(path, directory)] = hashlib.sha256(file.read()).hexdigest()
    return out


if __name__ == "__main__":
    unittest.main(verbosity=2)

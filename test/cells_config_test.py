"""The configuration that is the same in all cells: one gateway leads, two follow. What it changes is in force in all,
what does not fit somewhere is refused there and told, and nobody needs the leader to run."""
# ctest: TIMEOUT 300
import json
import os
import random
import re
import signal
import socket
import tempfile
import threading
import unittest
from pathlib import Path

import harness
from harness import Http, World, metrics, total, wait_until

SECRET = "a secret that all the cells have"
PASSWORD = "4-all-us"
TO = "+447700900101"
SHARED = ("carriers.yaml", "routes.yaml", "tenants.yaml")


def tenant(name):
    return {"name": name, "default_class": "transactional", "classes": ["transactional"],
            "keys": [{"id": "k", "hash": harness.sha256(f"key_{name}")}], "senders": ["Acme"]}


class Recorder:
    """A way to another listener that keeps all octets that go over it."""

    def __init__(self, port):
        self.to, self.seen = port, bytearray()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                one, _ = self.listener.accept()
            except OSError:
                return
            try:
                other = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                one.close()  # nobody is there
                continue
            for a, b in ((one, other), (other, one)):
                threading.Thread(target=self.pump, args=(a, b), daemon=True).start()

    def pump(self, a, b):
        try:
            while data := a.recv(65536):
                self.seen += data
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Cell(World):
    def __init__(self, directory, name, leads=False):
        directory.mkdir()
        specs = [harness.carrier_spec("alpha")]
        if leads:
            specs.append(harness.carrier_spec("common", password=PASSWORD))
        super().__init__(directory, specs)
        self.name, self.leads, self.secret = name, leads, SECRET
        self.files = directory / "config"
        self.files.mkdir()
        self.config_path = self.files
        self.admin_port = harness.free_port()  # it comes back on the same one
        self.env = {"COMMON_PASSWORD": PASSWORD}
        self.start_simulator()

    def write(self, name, value):
        (self.files / name).write_text(json.dumps(value, indent=1))

    def write_own(self, peers, carriers=("alpha",), follows=None, shares=None):
        self.peers, self.carriers = peers, carriers
        address = self.simulator.ready["carriers"]["alpha"]
        config = harness.gateway_config(self.directory / "data", {name: address for name in carriers})
        for key in ("routes", "tenants", "countries"):
            del config[key]
        config["node"] = {"name": f"{self.name}-1", "region": "eu", "cell": self.name}
        config["listen"]["admin"]["address"] = f"127.0.0.1:{self.admin_port}"
        cells = {"secret": self.secret, "peers": [{"name": n, "url": f"http://127.0.0.1:{p}"} for n, p in peers]}
        if follows:
            cells["takes_configuration_from"] = follows
        if shares:
            cells["shares"] = list(shares)
        self.write("10-own.yaml", {**config, "cells": cells})

    def write_shared(self, tenants=("one",), via=("alpha",)):
        address = self.simulator.ready["carriers"]["common"]
        host, _, port = address.rpartition(":")
        self.write("carriers.yaml", {"carriers": [
            {"name": "common", "region": "eu", "smpp": {"host": host, "port": int(port), "system_id": "tl",
                                                        "password": "${COMMON_PASSWORD}"}}]})
        self.write("routes.yaml", {"routes": [{"name": "all", "via": [{"carrier": c} for c in via]}]})
        self.write("tenants.yaml", {"countries": {"default": {"quiet_hours": "none"}},
                                    "tenants": [tenant(name) for name in tenants]})

    def start_gateway(self):
        return super().start_gateway(env=self.env)

    def reload(self):
        self.gateway.kill(signal.SIGHUP)

    def kill(self):
        self.gateway.kill()
        self.gateway.wait()

    def sends(self, name):
        status, _ = Http(self.gateway.ready["http"], f"key_{name}").post(
            "/v1/messages", {"to": TO, "body": "hello", "from": "Acme"})
        return status == 201

    def cells(self):
        return self.admin().get("/v1/cells")

    def takes(self):
        return self.cells()["takes"]

    def version(self):
        return self.cells()["shares"]["version"]

    def has(self, version):
        takes = self.takes()
        return takes["version"] == version and not takes["error"]

    def check(self):
        done = harness.run("check", self.files, "--json", env=self.env)
        return done.returncode, json.loads(done.stdout)


class CellsConfig(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        self.addCleanup(temporary.cleanup)
        directory = Path(temporary.name)
        self.eu, self.us, self.ap = [Cell(directory / n, n, leads=n == "eu") for n in ("eu", "us", "ap")]
        for cell in (self.eu, self.us, self.ap):
            self.addCleanup(cell.__exit__)
        self.recorder = Recorder(self.eu.admin_port)
        self.addCleanup(self.recorder.listener.close)
        self.eu.write_own([("us", self.us.admin_port), ("ap", self.ap.admin_port)], shares=SHARED)
        self.eu.write_shared()
        self.us.write_own([("eu", self.recorder.port), ("ap", self.ap.admin_port)], follows="eu")
        self.ap.write_own([("eu", self.eu.admin_port), ("us", self.us.admin_port)], follows="eu")

    def start_all(self):
        self.us.spawn_gateway(env=self.us.env)  # it waits for what it has never had
        self.eu.start_gateway()
        self.us.gateway.start()
        self.ap.start_gateway()

    def test_what_the_leader_changes_is_in_force_in_all(self):
        eu, us, ap = self.eu, self.us, self.ap
        self.start_all()
        for cell in (eu, us, ap):
            self.assertTrue(cell.sends("one"))
            self.assertFalse(cell.sends("two"))
        eu.write_shared(tenants=("one", "two"))
        eu.reload()
        for cell in (us, ap, eu):
            wait_until("a new tenant sends there", 30, lambda c=cell: c.sends("two"))
        wait_until("they say which they have", 20, lambda: us.has(eu.version()) and ap.has(eu.version()))
        shares = eu.cells()["shares"]
        self.assertEqual(shares["files"], list(SHARED))
        wait_until("so does the leader", 30, lambda: {
            (a["cell"], a["version"]) for a in eu.cells()["shares"]["asked_by"]} >= {
            ("us", eu.version()), ("ap", eu.version())})
        samples = metrics(us.admin())
        self.assertEqual(total(samples, "trunkline_cell_configurations_total", cell="eu", result="taken"), 1)
        self.assertEqual(total(samples, "trunkline_cell_configuration_behind", cell="eu"), 0)
        self.assertIsNone(eu.cells()["takes"])
        self.assertIsNone(us.cells()["shares"])

        # What the leader itself refuses is not told.
        (eu.files / "routes.yaml").write_text("routes: [ { name: all, via: [ { carrier: nobody } ] } ]\n")
        eu.reload()
        wait_until("the leader refuses it", 20, lambda: "reload_refused" in eu.gateway.log_text())
        self.assertEqual(eu.version(), shares["version"])
        self.assertTrue(us.has(shares["version"]))

        # `check` takes the copy, and says so.
        code, checked = us.check()
        self.assertEqual((code, checked["ok"]), (0, True), checked)
        self.assertEqual(checked["taken"]["cell"], "eu")
        self.assertEqual(checked["taken"]["version"], shares["version"])
        self.assertEqual(checked["taken"]["files"], list(SHARED))
        done = harness.run("check", us.files, env=us.env)
        self.assertRegex(done.stdout, f"taken from cell eu at 2.*version {shares['version']}: carriers.yaml, ")
        self.assertEqual(harness.run("explain", "--config", us.files, "--tenant", "two", "--to", TO, "--from", "Acme",
                                     env=us.env).returncode, 0)

        # Each has filled the secret in by itself: it is not on the way, and not on a disk.
        for cell in (us, ap):
            wait_until("the shared carrier is bound", 30, lambda c=cell: next(
                x for x in c.admin().get("/v1/carriers")["data"] if x["name"] == "common")["up"])
            copy = (cell.directory / "data.shared").read_text()
            self.assertIn("${COMMON_PASSWORD}", copy)
            for path in cell.directory.rglob("*"):
                if path.is_file():
                    self.assertNotIn(PASSWORD.encode(), path.read_bytes(), path)
        self.assertGreater(len(self.recorder.seen), 1000)
        for clear in (PASSWORD.encode(), b"COMMON_PASSWORD", b"routes", harness.sha256("key_one").encode()):
            self.assertNotIn(clear, self.recorder.seen)

    def test_what_does_not_fit_is_refused_and_told(self):
        eu, us, ap = self.eu, self.us, self.ap
        self.start_all()
        before = eu.version()
        for cell, carriers in ((eu, ("alpha", "beta")), (ap, ("alpha", "beta"))):
            cell.write_own(cell.peers, carriers, follows=None if cell is eu else "eu",
                           shares=SHARED if cell is eu else None)
        ap.reload()
        wait_until("ap has the carrier", 20, lambda: len(ap.admin().get("/v1/carriers")["data"]) == 3)
        eu.write_shared(tenants=("one", "two"), via=("alpha", "beta"))
        eu.reload()
        wait_until("who has the carrier takes it", 30, lambda: ap.sends("two") and ap.has(eu.version()))
        wait_until("who has not refuses it", 30, lambda: us.takes()["error"])
        takes = us.takes()
        self.assertRegex(takes["error"], r'^eu:routes\.yaml:\d+:\d+: error: carrier "beta" is not defined.*defined are: ')
        self.assertEqual((takes["version"], takes["offered"]), (before, eu.version()))
        self.assertTrue(us.sends("one"))
        self.assertFalse(us.sends("two"))
        samples = metrics(us.admin())
        self.assertEqual(total(samples, "trunkline_cell_configuration_behind", cell="eu"), 1)
        self.assertEqual(total(samples, "trunkline_cell_configurations_total", cell="eu", result="refused"), 1)
        self.assertIn("configuration_refused", us.gateway.log_text())
        # It is not tried again and again; and a restart begins with the last good one.
        us.reload()
        wait_until("a reload tries it", 20, lambda: us.gateway.log_text().count('"configuration_refused"') == 2)
        wait_until("and goes on with the other", 20, lambda: '"reloaded"' in us.gateway.log_text())
        self.assertEqual(us.takes()["version"], before)
        self.assertRegex(us.takes()["error"], "beta")
        us.kill()
        us.start_gateway()
        wait_until("it is told again", 20, lambda: us.takes()["error"])
        self.assertTrue(us.sends("one"))
        # Mended there: its own files are looked at again at a reload.
        us.write_own(us.peers, ("alpha", "beta"), follows="eu")
        us.reload()
        wait_until("it is taken", 30, lambda: us.has(eu.version()) and us.sends("two"))
        self.assertEqual(total(metrics(us.admin()), "trunkline_cell_configuration_behind", cell="eu"), 0)
        # Or by the leader.
        eu.write("routes.yaml", {"routes": [{"name": "all", "via": [{"carrier": "gone"}]}], "carriers": [
            {"name": "gone", "region": "eu", "smpp": {"host": "127.0.0.1", "port": 1, "system_id": "x",
                                                     "password": "${ONLY_EU}"}}]})
        eu.kill()
        eu.env["ONLY_EU"] = "x"
        eu.start_gateway()
        wait_until("the variable is missed", 30, lambda: "ONLY_EU" in (us.takes()["error"] or ""))
        eu.write_shared(tenants=("one", "two", "three"))
        eu.reload()
        wait_until("mended", 30, lambda: us.has(eu.version()) and us.sends("three") and ap.sends("three"))

    def test_nobody_needs_the_leader_to_run(self):
        eu, us, ap = self.eu, self.us, self.ap
        # Who has never had anything says so, and does not run without.
        waiting = us.spawn_gateway(env=us.env)
        wait_until("its signals are blocked", 20, lambda: re.search(
            r"SigBlk:\s*0*[^0\s]", Path(f"/proc/{waiting.pid}/status").read_text()))
        waiting.kill(signal.SIGTERM)
        self.assertEqual(waiting.wait(20), 3)
        self.assertIn("nothing has been taken from cell eu yet", waiting.log_text())
        code, checked = us.check()
        self.assertIn("nothing has been taken from", [f["what"][:27] for f in checked["findings"]])

        eu.start_gateway()
        us.start_gateway()
        version = eu.version()
        eu.kill()
        wait_until("it is told", 20, lambda: us.takes()["error"])
        us.kill()
        us.start_gateway()
        self.assertTrue(us.sends("one"))
        self.assertEqual(us.takes()["version"], version)
        us.reload()
        wait_until("a reload does without it, too", 20, lambda: '"reloaded"' in us.gateway.log_text())
        self.assertTrue(us.sends("one"))
        # A copy that somebody has changed is none.
        us.kill()
        copy = us.directory / "data.shared"
        copy.write_text(copy.read_text().replace("alpha", "gamma"))
        eu.start_gateway()
        us.start_gateway()
        self.assertIn("damaged", us.gateway.log_text())
        self.assertTrue(us.has(version))

        # A cell that had all of it itself begins to follow.
        ap.write_own(ap.peers)
        for name in SHARED:
            (ap.files / name).write_text((eu.files / name).read_text())
        ap.start_gateway()
        self.assertIsNone(ap.takes())
        ap.write_own(ap.peers, follows="eu")
        ap.reload()
        wait_until("both have a file of the name", 20, lambda: 'shares a file' in ap.gateway.log_text())
        self.assertIsNone(ap.takes())
        for name in SHARED:
            (ap.files / name).unlink()
        ap.reload()
        wait_until("it follows", 20, lambda: ap.takes() and ap.has(version))
        self.assertTrue(ap.sends("one"))

    def test_in_the_end_all_have_the_same(self):
        """Changes one after the other while the followers reload, lose their connections and are killed."""
        eu, us, ap = self.eu, self.us, self.ap
        self.start_all()
        going = threading.Event()

        def disturb():
            chance = random.Random(1)
            while not going.wait(chance.uniform(0, 0.15)):
                # Another list of peers is another line to the leader.
                us.write_own(us.peers[:chance.choice((1, 2))], follows="eu")
                us.reload()
                ap.reload()
                if chance.random() < 0.1:
                    ap.kill()
                    ap.start_gateway()

        disturber = threading.Thread(target=disturb)
        disturber.start()
        for n in range(40):
            eu.write_shared(tenants=("one", f"t{n}"))
            eu.reload()
            wait_until("the leader has it", 20, lambda n=n: eu.sends(f"t{n}"))
        going.set()
        disturber.join()
        last = eu.version()
        for cell in (us, ap):
            wait_until(f"{cell.name} has it", 30, lambda c=cell: c.has(last) and c.sends("t39"))
            self.assertEqual(total(metrics(cell.admin()), "trunkline_cell_configuration_behind"), 0)
            self.assertIn(f"version {last}\n", (cell.directory / "data.shared").read_text())
            self.assertEqual(cell.check()[1]["taken"]["version"], last)

    def test_who_does_not_know_the_secret_takes_nothing(self):
        eu, us, _ = self.eu, self.us, self.ap
        eu.start_gateway()
        us.start_gateway()
        before = eu.version()
        us.kill()
        us.secret = "another one, that is as long"
        us.write_own(us.peers, follows="eu")
        us.start_gateway()
        eu.write_shared(tenants=("one", "two"))
        eu.reload()
        wait_until("it is in force there", 20, lambda: eu.sends("two"))
        wait_until("it is told why", 20, lambda: "cells.secret" in (us.takes()["error"] or ""))
        self.assertEqual(us.takes()["version"], before)
        self.assertFalse(us.sends("two"))
        for body in (b"", b"x" * 100):
            status, problem = Http(eu.gateway.ready["admin"]).post("/v1/cells/configuration", body)
            self.assertEqual(status, 401, problem)
        us.secret = SECRET
        us.write_own(us.peers, follows="eu")
        us.reload()
        wait_until("a reload mends it", 20, lambda: us.sends("two") and us.has(eu.version()))


if __name__ == "__main__":
    unittest.main()

"""What is the same in all cells: three gateways that tell each other who must not be written to, cut off from each
other, killed in the middle, and equal in the end."""
# ctest: TIMEOUT 300
import os
import shutil
import tempfile
import threading
import time
import unittest
from pathlib import Path
from urllib.parse import quote

import harness
from harness import World, metrics, total, wait_until
from opt_outs_test import opt_outs

SECRET = "a secret that all the cells have"
A, B = "+447700900101", "+447700900102"


class Cell(World):
    def __init__(self, directory, name, test):
        directory.mkdir()
        super().__init__(directory)
        self.name, self.test = name, test
        self.admin_port = harness.free_port()  # it comes back on the same one

    def start_with(self, others, secret=SECRET):
        if not self.simulator:
            self.start_simulator()
        self.others, self.secret = others, secret
        self.write()
        self.start_gateway()
        return self

    def write(self, **cells):
        peers = [{"name": o.name, "url": f"http://127.0.0.1:{o.admin_port}"} for o in self.others]
        self.write_config(node={"name": f"{self.name}-1", "region": "eu", "cell": self.name},
                          listen={"http": {"address": "127.0.0.1:0"},
                                  "admin": {"address": f"127.0.0.1:{self.admin_port}"}},
                          cells={"secret": self.secret, "peers": peers, **cells})

    def kill(self):
        self.gateway.kill()
        self.gateway.wait()

    def send(self, to):
        return self.api().post("/v1/messages", {"to": to, "body": "hello", "from": "Acme"})

    def stop_numbers(self, *numbers, state="out"):
        status, body = self.api().post("/v1/opt-outs", {"opt_outs": [{"to": n, "state": state} for n in numbers]})
        self.test.assertEqual(status, 200, body)

    def entries(self):
        """All there is, of the tenant and of the operator, without the order."""
        out = opt_outs(self.api(), "&state=all") + opt_outs(self.admin(), "&state=all")
        return sorted(tuple(sorted((k, str(v)) for k, v in e.items())) for e in out)

    def peer(self, name):
        return next(p for p in self.admin().get("/v1/cells")["peers"] if p["cell"] == name)

    def is_refused(self, to):
        status, problem = self.send(to)
        return status == 422 and problem["reasons"][0]["rule"] == "recipient.opted_out"


class CellsSync(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        self.addCleanup(temporary.cleanup)
        self.cells = [Cell(Path(temporary.name) / name, name, self) for name in ("eu", "us", "ap")]
        for cell in self.cells:
            self.addCleanup(cell.__exit__)

    def others(self, cell):
        return [c for c in self.cells if c is not cell]

    def start_all(self):
        for cell in self.cells:
            cell.start_with(self.others(cell))
        for cell in self.cells:
            wait_until("its carrier is bound", 30, cell.bound)
            for other in self.others(cell):
                wait_until("they hear each other", 30, lambda c=cell, o=other: c.peer(o.name)["heard_at"])

    def all_equal(self):
        first, *rest = [cell.entries() for cell in self.cells]
        return all(one == first for one in rest)

    def test_what_one_is_told_holds_in_all(self):
        eu, us, ap = self.cells
        self.start_all()
        self.assertEqual(us.admin().post("/v1/carriers/alpha/suspend", {"reason": "test"})[0], 200)
        waits = us.send(B)[1]["id"]
        eu.stop_numbers(A, B)
        began = time.monotonic()
        wait_until("it is refused elsewhere", 20, lambda: us.is_refused(A) and ap.is_refused(A))
        print(f"in force in all cells after {time.monotonic() - began:.3f} s")
        self.assertEqual(us.admin().post("/v1/carriers/alpha/resume")[0], 200)
        wait_until("what waited there is rejected", 20,
                   lambda: us.api().get(f"/v1/messages/{waits}")["status"] == "rejected")
        (entry,) = opt_outs(us.api(), "&to=" + quote(A))
        self.assertEqual((entry["cell"], entry["by"]), ("eu", "api"))

        self.assertEqual(ap.admin().post("/v1/opt-outs", {"to": "+447700900103"})[0], 200)
        wait_until("the operator's, too", 20, lambda: eu.is_refused("+447700900103"))
        us.stop_numbers(A, state="in")
        wait_until("and back", 20, lambda: eu.send(A)[0] == 201 and ap.send(A)[0] == 201)
        self.assertTrue(self.all_equal())
        samples = metrics(eu.admin())
        self.assertEqual(total(samples, "trunkline_cell_changes_behind"), 0)
        self.assertGreater(total(samples, "trunkline_cell_pulls_total", result="heard"), 0)
        self.assertGreater(total(samples, "trunkline_cell_heard_timestamp_seconds", cell="us"), time.time() - 30)

        # Quiet again: what they tell each other does not go round for ever.
        before = [c.admin().get("/v1/cells")["change"] for c in self.cells]
        time.sleep(1)
        self.assertEqual([c.admin().get("/v1/cells")["change"] for c in self.cells], before)

    def test_one_dies_in_the_middle_and_one_is_cut_off(self):
        eu, us, ap = self.cells
        self.start_all()
        numbers = [f"+4477009{n:05}" for n in range(4000)]
        stop = threading.Event()
        told = {"eu": [], "us": []}

        def change(cell, mine):
            for n in range(0, len(mine), 20):
                if stop.is_set():
                    return
                try:
                    cell.stop_numbers(*mine[n:n + 20])
                except (OSError, AssertionError):
                    return  # it died: what was answered counts
                told[cell.name] += mine[n:n + 20]

        threads = [threading.Thread(target=change, args=(eu, numbers[:2000])),
                   threading.Thread(target=change, args=(us, numbers[2000:]))]
        for thread in threads:
            thread.start()
        wait_until("half of it is done", 60, lambda: len(told["us"]) > 600)
        us.kill()
        for thread in threads:
            thread.join(120)
        stop.set()
        self.assertEqual(len(told["eu"]), 2000)
        # What goes on between the living is not held up, and the dead one is told.
        wait_until("the third has all of the first's", 30,
                   lambda: len(opt_outs(ap.api())) >= 2000 and ap.is_refused(numbers[1999]))
        wait_until("it is told", 20, lambda: eu.peer("us")["error"])
        # Both sides of the cut say something of the same numbers.
        eu.kill()
        us.start_gateway()
        us.stop_numbers(*numbers[:50], state="in")
        us.stop_numbers(*numbers[3990:])
        us.kill()
        eu.start_gateway()
        eu.stop_numbers(*numbers[25:75])
        eu.stop_numbers(*numbers[3995:], state="in")
        us.start_gateway()
        wait_until("all of them are equal", 60, self.all_equal)
        kept = {e["to"] for e in opt_outs(ap.api())}
        self.assertFalse(set(told["us"]) - kept - set(numbers[3990:]), "lost although it was answered")
        self.assertTrue(set(numbers[75:2000]) <= kept)
        self.assertTrue(set(numbers[50:75]) <= kept)

        # A cell that lost its disk hears it all again.
        eu.kill()
        shutil.rmtree(eu.directory / "data")
        eu.start_gateway()
        wait_until("it has heard it all", 60, self.all_equal)

    def test_who_does_not_know_the_secret_is_told_nothing(self):
        eu, us, _ = self.cells
        eu.start_with([us])
        us.start_with([eu], secret="another one, that is as long")
        wait_until("it is told why", 20, lambda: "cells.secret" in (eu.peer("us")["error"] or ""))
        wait_until("on both sides", 20, lambda: "cells.secret" in (us.peer("eu")["error"] or ""))
        eu.stop_numbers(A)
        time.sleep(1)
        self.assertEqual(opt_outs(us.api(), "&state=all"), [])
        self.assertEqual(us.send(A)[0], 201)
        status, problem = harness.Http(eu.gateway.ready["admin"]).post("/v1/cells/pull", b"x" * 100)
        self.assertEqual(status, 401, problem)
        # A reload mends it.
        us.secret = SECRET
        us.write()
        us.gateway.kill(harness.signal.SIGHUP)
        wait_until("it is refused there", 20, lambda: us.is_refused(A))
        self.assertFalse(us.peer("eu")["error"])


if __name__ == "__main__":
    unittest.main()

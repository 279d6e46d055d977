"""Bulk uploads through the real binary: 20,000 recipients, a kill -9 in the middle of the upload and others while it
runs, and exactly one message for each recipient; pause really pauses; results are complete; the same upload again is the
same bulk; a client that breaks off leaves nothing."""
# ctest: TIMEOUT 500
import json
import os
import socket
import tempfile
import time
import unittest

import harness
from harness import KEY, World, run, wait_until

COUNT = int(os.environ.get("TRUNKLINE_BULK", 20000))
CARRIERS = [harness.carrier_spec("alpha"), harness.carrier_spec("beta")]


def token(i):
    return f"bulk{i:012}"


def lines(count, **common):
    """The first line has what is common; each text is its own, so that ledgers tell them apart. What is in doubt after a
    crash is sent again, and says so."""
    yield json.dumps({"class": "transactional", "from": "Acme", **common})
    for i in range(count):
        yield json.dumps({"to": f"+447700900{i % 1000:03}", "body": f"Sale #tl:{token(i)}"})


class Bulk(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP"))
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.world = World(directory.name, CARRIERS)
        self.addCleanup(self.world.__exit__)
        self.world.start()
        wait_until("links are bound", 30, self.world.bound)

    def upload(self, body, key=None, path="/v1/bulk"):
        headers = {"Content-Type": "application/x-ndjson", **({"Idempotency-Key": key} if key else {})}
        return harness.Http(self.world.gateway.ready["http"], KEY, timeout=120).request("POST", path, body, headers)

    def status(self, id):
        return self.world.api().get(f"/v1/bulk/{id}")

    def wait(self, id, *states, seconds=300):
        return wait_until(f"{id} is {states}", seconds, lambda: (s := self.status(id))["status"] in states and s, 0.1)

    def results(self, id):
        api, cursor, out = self.world.api(), "", []
        while cursor is not None:
            page = api.get(f"/v1/bulk/{id}/results?limit=500" + (f"&cursor={cursor}" if cursor else ""))
            out += page["data"]
            cursor = page["next_cursor"]
        return out

    def test_each_once_over_kills(self):
        body = ("\n".join(lines(COUNT)) + "\n").encode()
        # In the middle of the upload.
        host, _, port = self.world.gateway.ready["http"].rpartition(":")
        with socket.create_connection((host, int(port))) as s:
            s.sendall(f"POST /v1/bulk HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nIdempotency-Key: all\r\n"
                      f"Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            s.sendall(body[:len(body) // 2])
            wait_until("some of it is on disk", 30, lambda: any(
                (self.world.directory / "data.bulk" / n).stat().st_size
                for n in os.listdir(self.world.directory / "data.bulk")))
            self.world.gateway.kill()
        self.world.start_gateway()
        self.assertEqual(os.listdir(self.world.directory / "data.bulk"), [])
        status, bulk, headers = self.upload(body, "all")
        self.assertEqual(status, 202, bulk)
        self.assertEqual((bulk["total"], headers["Location"]), (COUNT, f"/v1/bulk/{bulk['id']}"))
        # Nothing on disk in clear.
        for name in os.listdir(self.world.directory / "data.bulk"):
            octets = (self.world.directory / "data.bulk" / name).read_bytes()
            self.assertFalse(b"Sale" in octets or b"447700" in octets, name)
        # While it runs.
        for share in (0.1, 0.5):
            wait_until("some is accepted", 200, lambda: self.status(bulk["id"])["accepted"] >= COUNT * share, 0.005)
            self.world.gateway.kill()
            self.world.start_gateway()
            self.assertEqual(self.status(bulk["id"])["status"], "running", "it was killed too late")
        done = self.wait(bulk["id"], "done")
        self.assertEqual((done["accepted"], done["refused"], done["pending"]), (COUNT, 0, 0))
        results = self.results(bulk["id"])
        self.assertEqual(sorted(r["index"] for r in results), list(range(COUNT)))
        self.assertEqual(len({r["message_id"] for r in results}), COUNT)
        status, again, headers = self.upload(body, "all")
        self.assertEqual((status, again["id"], headers["Idempotent-Replayed"]), (202, bulk["id"], "true"))
        self.assertEqual(self.upload(body + b'{"to":"+447700900123","body":"x"}', "all")[0], 422)
        api = self.world.api()
        wait_until("all have ended", 200, lambda: not list(harness.unsettled(api)), 0.5)
        messages = list(harness.all_messages(api))
        self.assertEqual(len(messages), COUNT)
        self.assertEqual({m["id"] for m in messages}, {r["message_id"] for r in results})
        harness.write_messages(self.world.directory / "messages.ndjson", messages)
        with open(self.world.directory / "accepted.ndjson", "w") as accepted:
            for r in results:
                i = r["index"]
                self.assertEqual(r["line"], i + 2)
                accepted.write(json.dumps({"t": messages[0]["created_at"], "key": f"all/{i}", "id": r["message_id"],
                                           "to": f"+447700900{i % 1000:03}", "token": token(i)}) + "\n")
        self.assertEqual(self.world.simulator.stop(), 0)
        code, verdict, why = harness.verify(self.world.directory / "accepted.ndjson", self.world.ledger,
                                            messages=self.world.directory / "messages.ndjson")
        self.assertEqual(code, 0, (verdict, why))
        self.assertEqual((verdict["accepted"], verdict["lost"], verdict["never_accepted"], verdict["unflagged_duplicates"]),
                         (COUNT, 0, 0, 0), verdict)

    def test_pause_resume_cancel_and_mistakes(self):
        body = "\n".join([*lines(600, rate=200), '{"to":"447700900123"}', "no json", '{"to":"+447700900123","body":7}'])
        status, bulk, _ = self.upload(body)
        self.assertEqual((status, bulk["status"], bulk["total"]), (202, "running", 603))
        api = self.world.api()
        path = f"/v1/bulk/{bulk['id']}"
        wait_until("some is accepted", 30, lambda: self.status(bulk["id"])["accepted"] > 20)
        status, paused = api.post(path + "/pause")
        self.assertEqual((status, paused["status"]), (200, "paused"))
        self.assertGreater(paused["pending"], 0)
        time.sleep(1)  # five batches' time
        self.assertEqual(self.status(bulk["id"]), paused)
        self.world.gateway.kill()
        self.world.start_gateway()
        self.assertEqual(self.status(bulk["id"])["status"], "paused")
        api = self.world.api()
        self.assertEqual(api.post(path + "/resume")[1]["status"], "running")
        done = self.wait(bulk["id"], "done")
        self.assertEqual((done["accepted"], done["refused"]), (600, 3))
        refused = {r["index"]: r for r in self.results(bulk["id"]) if r["status"] != 201}
        self.assertEqual(set(refused), {600, 601, 602})
        self.assertEqual([refused[i]["line"] for i in (600, 601, 602)], [602, 603, 604])
        self.assertEqual(refused[600]["problem"]["errors"][0]["code"], "invalid_number")
        self.assertEqual(refused[601]["problem"]["errors"][0]["code"], "invalid_json")
        self.assertEqual(refused[602]["problem"]["errors"][0]["pointer"], "/body")
        self.assertEqual(api.post(path + "/cancel")[0], 409)
        status, bulk, _ = self.upload("\n".join(lines(1000, rate=50)))
        status, ended = api.post(f"/v1/bulk/{bulk['id']}/cancel")
        self.assertEqual((status, ended["status"]), (200, "canceled"))
        self.assertGreater(ended["pending"], 0)
        self.assertEqual(api.post(f"/v1/bulk/{bulk['id']}/resume")[0], 409)
        self.assertFalse((self.world.directory / "data.bulk" / f"{bulk['id'][4:]}.spool").exists())

    def test_what_is_refused_whole(self):
        def problem(body, status, **headers):
            api = harness.Http(self.world.gateway.ready["http"], KEY)
            got, answer, _ = api.request("POST", "/v1/bulk", body, {"Content-Type": "application/x-ndjson", **headers})
            self.assertEqual(got, status, answer)
            return answer
        self.assertEqual(problem("", 400)["errors"][0]["code"], "empty")
        self.assertEqual(problem("to,body\n+447700900123,x\n", 400)["errors"][0]["code"], "invalid_json")
        common = problem('\n{"class":"bulk","rate":0,"template":"none"}\n{"to":"+447700900123"}', 400)
        self.assertEqual({e["pointer"] for e in common["errors"]}, {"/class", "/rate", "/template"})
        self.assertTrue(common["detail"].startswith("Line 2: "), common)
        long = problem('{"class":"otp"}\n{"to":"+447700900123","body":"x"}\n\n{"to":"' + "x" * 70000 + '"}', 413)
        self.assertTrue(long["detail"].startswith("Line 4 "), long)
        problem("{}", 415, **{"Content-Type": "text/csv"})
        problem("{}", 401, Authorization="Bearer no")
        api = self.world.api()
        self.assertEqual(api.request("GET", "/v1/bulk/blk_" + "0" * 32)[0], 404)
        self.assertEqual(api.request("GET", "/v1/bulk")[0], 405)
        self.assertEqual(os.listdir(self.world.directory / "data.bulk"), [])

    def test_templates_and_limits(self):
        config = json.loads(self.world.config_path.read_text())
        config["tenants"][0].update(
            limits={"rate": "100/s"},
            templates=[{"name": "promo", "body": "Hi {{who}}, sale! STOP", "fields": {"who": "text"}}])
        self.world.config_path.write_text(json.dumps(config))
        self.world.gateway.kill(1)  # reload
        body = ['{"class":"marketing","template":"promo"}'] + [
            json.dumps({"to": f"+447700900{i:03}", "variables": {"who": f"No {i}"}}) for i in range(300)]
        wait_until("the template is known", 30, lambda: self.upload("\n".join(body), "templates")[0] == 202)
        bulk = self.upload("\n".join(body), "templates")[1]
        # The tenant's rate is waited for, and is no failure.
        wait_until("it waits", 30, lambda: self.status(bulk["id"])["waiting"] or self.status(bulk["id"])["status"] == "done")
        done = self.wait(bulk["id"], "done")
        self.assertEqual((done["accepted"], done["refused"]), (300, 0))
        wait_until("all are sent", 60, lambda: {l["text"] for l in self.world.carrier_lines()} >=
                   {f"Hi No {i}, sale! STOP" for i in range(300)}, 0.2)

    def test_command_line(self):
        path = self.world.directory / "list.ndjson"
        path.write_text("\n".join(lines(500)))
        at = ["--url", f"http://{self.world.gateway.ready['http']}", "--key", KEY]
        done = run("bulk", path, *at, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual((told["status"], told["accepted"]), ("done", 500))
        path.write_text("nonsense")
        self.assertEqual(run("bulk", path, *at).returncode, 1)
        self.assertEqual(run("bulk", path.with_name("none"), *at).returncode, 2)


if __name__ == "__main__":
    unittest.main()

"""Programs of others that the system tests talk to, driven from Python."""
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

ROOT = Path(os.environ.get("TRUNKLINE_ROOT", Path(__file__).resolve().parent.parent))
MODULES = ROOT / "build/interop/node_modules"


def missing():
    """Why the npm packages cannot be used; None if they can. ./dev test installs them."""
    if not shutil.which("node"):
        return "node is not installed"
    if not (MODULES / "smpp").is_dir():
        return f"{MODULES} has no smpp; ./dev test installs it"
    return None


class Script:
    """A program of test/interop that takes commands and gives answers and events, a JSON object a line."""

    def __init__(self, name, *arguments):
        self.process = subprocess.Popen(["node", str(ROOT / "test/interop" / name), *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env={**os.environ, "NODE_PATH": str(MODULES)})
        self.ready = None
        self.answers = {}
        self.events = []
        self.next_id = 0
        self.changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            message = json.loads(line)
            with self.changed:
                if "ready" in message:
                    self.ready = message["ready"]
                elif "event" in message:
                    self.events.append(message)
                else:
                    self.answers[message["id"]] = message
                self.changed.notify_all()

    def start(self, op, **fields):
        """Sends a command and returns its id; wait() gets the answer."""
        self.next_id += 1
        self.process.stdin.write(json.dumps({"id": self.next_id, "op": op, **fields}) + "\n")
        self.process.stdin.flush()
        return self.next_id

    def wait(self, number, seconds=30):
        with self.changed:
            if not self.changed.wait_for(lambda: number in self.answers, seconds):
                raise TimeoutError(f"no answer to command {number}")
            answer = self.answers.pop(number)
        if "error" in answer:
            raise ConnectionError(answer["error"])
        return answer.get("pdu")

    def do(self, op, **fields):
        return self.wait(self.start(op, **fields))

    def wait_event(self, condition, seconds=30):
        """The first event that satisfies the condition, taken out of the list."""
        def find():
            return next((e for e in self.events if condition(e)), None)
        with self.changed:
            if not self.changed.wait_for(lambda: find() is not None, seconds):
                raise TimeoutError(f"no such event; there are: {self.events}")
            event = find()
            self.events.remove(event)
            return event

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Smsc(Script):
    """npm's smpp as a carrier: test/interop/smsc.js. `tls`: options of node's tls.createServer()."""

    def __init__(self, tls=None):
        super().__init__("smsc.js", *([json.dumps(tls)] if tls else []))
        with self.changed:
            if not self.changed.wait_for(lambda: self.ready, 30):
                raise TimeoutError("the carrier does not listen")
        self.address = f"127.0.0.1:{self.ready}"

    def deliver(self, **pdu):
        return self.do("deliver", pdu=pdu)

    def submitted(self, condition=lambda pdu: True):
        return self.wait_event(lambda e: e["event"] == "submit_sm" and condition(e["pdu"]))["pdu"]


class Esme(Script):
    """npm's smpp as an application: test/interop/esme.js. One process may hold many connections."""

    def __init__(self):
        super().__init__("esme.js")

    def call(self, name, command, **pdu):
        return self.do("call", name=name, command=command, pdu=pdu)

    def bind(self, name, address, system_id="demo", password="demopass", command="bind_transceiver", tls=None, **more):
        """`tls`: options of node's tls.connect()."""
        self.do("connect", name=name, url=f"smpp://{address}" if tls is None else f"ssmpp://{address}", options=tls or {})
        return self.call(name, command, system_id=system_id, password=password, **more)

    def delivered(self, name=None, seconds=30):
        return self.wait_event(lambda e: e["event"] == "deliver_sm" and name in (None, e["name"]), seconds)["pdu"]

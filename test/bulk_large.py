"""How long a bulk upload of a million recipients takes, and what it needs: `python3 test/bulk_large.py [COUNT]`. Prints one
line of JSON: seconds until the upload was answered, until all were handed to the engine, until all had ended; the gateway's
memory after the upload and at its peak; octets of the upload, and on disk."""
import json
import os
import sys
import tempfile
import time

import harness
from harness import KEY, World, memory, run, wait_until

CARRIERS = [harness.carrier_spec("alpha"), harness.carrier_spec("beta")]


def main(count):
    with tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP")) as directory, World(directory, CARRIERS) as world:
        world.start()
        wait_until("links are bound", 30, world.bound)
        path = world.directory / "list.ndjson"
        with open(path, "w") as file:
            file.write('{"class":"transactional","from":"Acme","body":"Our shop opens at nine tomorrow. See you there!"}\n')
            file.writelines('{"to":"+4477%08d"}\n' % (10_000_000 + i) for i in range(count))
        begun = time.monotonic()
        done = run("bulk", path, "--url", f"http://{world.gateway.ready['http']}", "--key", KEY, "--no-wait", "--json",
                   timeout=600)
        if done.returncode != 0:
            sys.exit(done.stderr)
        out = {"recipients": count, "uploaded_octets": path.stat().st_size, "answered_s": time.monotonic() - begun,
               "memory_after_upload_mb": memory(world.gateway.pid) >> 20}
        bulk = json.loads(done.stdout)
        files = world.directory / "data.bulk"
        out["spool_octets"] = (files / f"{bulk['id'][4:]}.spool").stat().st_size
        api = world.api()
        peak = 0

        def is_done():
            nonlocal peak, bulk
            peak = max(peak, memory(world.gateway.pid))
            bulk = api.get(f"/v1/bulk/{bulk['id']}")
            return bulk["status"] == "done"
        wait_until("all are handed over", 3600, is_done, 0.2)
        out.update(handed_over_s=time.monotonic() - begun, accepted=bulk["accepted"], refused=bulk["refused"],
                   results_octets=(files / f"{bulk['id'][4:]}.results").stat().st_size)
        wait_until("all have ended", 3600, lambda: not list(harness.unsettled(api)), 1)
        out.update(ended_s=time.monotonic() - begun, memory_peak_mb=peak >> 20)
        print(json.dumps({k: round(v, 1) if isinstance(v, float) else v for k, v in out.items()}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)

"""The long versions of what ./dev test does in short: ./dev soak [--kills N] [--rounds N].

Hundreds of kills a round, each round on fresh data with another seed.
"""
import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=150, help="a round")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=random.randrange(1, 2**30), help="of the first round")
    options = parser.parse_args()
    failed = []
    for i in range(options.rounds):
        seed, start = options.seed + i, time.monotonic()
        print(f"== round {i + 1} of {options.rounds}: {options.kills} kills, seed {seed}", flush=True)
        done = subprocess.run([sys.executable, str(HERE / "crash_test.py"), "--kills", str(options.kills)],
                              env={**os.environ, "TRUNKLINE_CRASH_SEED": str(seed)}, check=False)
        print(f"== {'FAILED' if done.returncode else 'passed'} after {time.monotonic() - start:.0f} s", flush=True)
        if done.returncode:
            failed.append(seed)
    if failed:
        sys.exit(f"failed with seeds {failed}; TRUNKLINE_CRASH_SEED=N test/crash_test.py --kills {options.kills}")


if __name__ == "__main__":
    main()

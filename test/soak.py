"""The long versions of what ./dev test does in short: ./dev soak [--kills N] [--rounds N] [--seeds N] [--receipts N]
[--lifetimes N] [--damage N] [--overload SECONDS].

Worlds of the simulation, a million receipts, a million times to live, damage to the store, clients that retry over kills,
then hundreds of kills a round of the real binary under load, each round on fresh data with another seed. A part with 0
is left out.
"""
import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent / "build/asan"


def part(what, again, command, **environment):
    """True if it passed; `again` says how to see a failure once more."""
    start = time.monotonic()
    print(f"== {what}", flush=True)
    done = subprocess.run([str(word) for word in command], env={**os.environ, **environment}, check=False)
    print(f"== {'FAILED' if done.returncode else 'passed'} after {time.monotonic() - start:.0f} s", flush=True)
    if done.returncode:
        print(f"== again: {again}", flush=True)
    return done.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20_000, help="worlds of the simulation")
    parser.add_argument("--receipts", type=int, default=1_000_000, help="of every kind, through one engine")
    parser.add_argument("--lifetimes", type=int, default=1_000_000, help="messages of each kind that outlive restarts")
    parser.add_argument("--damage", type=int, default=500, help="rounds of each kind of damage to a store")
    parser.add_argument("--drills", action=argparse.BooleanOptionalAction, default=True,
                        help="carriers that fail under load: of an otherwise quiet machine")
    parser.add_argument("--hostile", action=argparse.BooleanOptionalAction, default=True,
                        help="latency beside hostile peers: of an otherwise quiet machine")
    parser.add_argument("--overload", type=int, default=300, help="seconds of ten times more than carriers take")
    parser.add_argument("--kills", type=int, default=150, help="a round")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=random.randrange(1, 2**30), help="of the first round of kills")
    options = parser.parse_args()
    passed = []
    if options.seeds:
        passed.append(part(f"{options.seeds} simulated worlds", "TRUNKLINE_SEED=N build/asan/simulation_test",
                           [TESTS / "simulation_test", "--gtest_filter=*promises*"],
                           TRUNKLINE_SIMULATION_SEEDS=str(options.seeds)))
    if options.receipts:
        passed.append(part(f"{options.receipts} mixed receipts", "the same with TRUNKLINE_SEED=N as printed",
                           [TESTS / "simulation_test", "--gtest_filter=receipts*"],
                           TRUNKLINE_RECEIPTS=str(options.receipts)))
    if options.lifetimes:
        passed.append(part(f"{options.lifetimes} times to live of each kind", "the same with TRUNKLINE_SEED=N as printed",
                           [TESTS / "simulation_test", "--gtest_filter=lifetimes*"],
                           TRUNKLINE_LIFETIMES=str(options.lifetimes)))
    if options.damage:
        passed.append(part(f"{options.damage} rounds of damage", "the same command",
                           [TESTS / "store_rocksdb_test", "--gtest_filter=*Damage*"],
                           TRUNKLINE_DAMAGE_ROUNDS=str(options.damage)))
    if options.drills:
        passed.append(part("carriers that fail", "test/drill.py", [sys.executable, HERE / "drill.py"]))
    if options.hostile:
        passed.append(part("peers that do not play by the rules", "test/hostile.py", [sys.executable, HERE / "hostile.py"]))
    if options.overload:
        passed.append(part(f"{options.overload} s of overload", f"test/overload.py --seconds {options.overload}",
                           [sys.executable, HERE / "overload.py", "--seconds", options.overload]))
    if options.kills:
        passed.append(part("20,000 retrying clients, 100 kills", "test/retrying_clients_test.py --clients 20000 --kills 100",
                           [sys.executable, HERE / "retrying_clients_test.py", "--clients", 20_000, "--kills", 100]))
    for i in range(options.rounds):
        seed = options.seed + i
        passed.append(part(f"round {i + 1} of {options.rounds}: {options.kills} kills, seed {seed}",
                           f"TRUNKLINE_CRASH_SEED={seed} test/crash_test.py --kills {options.kills}",
                           [sys.executable, HERE / "crash_test.py", "--kills", options.kills],
                           TRUNKLINE_CRASH_SEED=str(seed)))
    if not all(passed):
        sys.exit(f"{passed.count(False)} of {len(passed)} parts failed")


if __name__ == "__main__":
    main()

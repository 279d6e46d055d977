# ctest: TIMEOUT 600
"""Ten thousand clients that break off, ask again and ask twice at once, while the gateway is killed: one message each.

`retrying_clients_test.py --kills N --clients N` does more of it (./dev soak).
"""
import argparse
import asyncio
import collections
import json
import os
import random
import sys
import tempfile
import unittest

import harness
from harness import World, verify, wait_until

KILLS = 20
CLIENTS = 10_000
SEED = int(os.environ.get("TRUNKLINE_CRASH_SEED", "0")) or random.randrange(1, 2**31)
AT_ONCE = 300  # requests under way
ANSWERS = 2  # that each client wants to hear
TWINS = 0.2  # share of the tries that are sent over two connections at once
OTHER_BODY = 0.02  # share of the clients that use their key for another message in the end
SETTLE_SECONDS = 120
AREAS = [area for area in range(201, 990) if area % 100 != 11]


class Broken(Exception):
    """No answer was heard; the request may have been taken."""


class Client:
    def __init__(self, world, at, rng, slots):
        self.address, self.random, self.slots = world.address, rng, slots
        self.key = f"client-{at}"
        self.to = f"+1{AREAS[at // 100 % len(AREAS)]}55501{at % 100:02}"
        self.token = "".join(self.random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=20))
        self.body = {"to": self.to, "from": "Acme", "body": f"hello #tl:{self.token}", "class": "transactional"}
        self.answers = []  # (id, replayed)
        self.refused = collections.Counter()
        self.broken = 0
        self.first = asyncio.Event()

    async def ask(self, body, patience):
        """(status, body, headers), or Broken."""
        data = json.dumps(body).encode()
        head = (f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {harness.KEY}\r\n"
                f"Idempotency-Key: {self.key}\r\nContent-Type: application/json\r\nConnection: close\r\n"
                f"Content-Length: {len(data)}\r\n\r\n").encode()
        writer = None
        try:
            async with self.slots, asyncio.timeout(patience):
                reader, writer = await asyncio.open_connection(*self.address)
                writer.write(head + data)
                whole = await reader.read()
        except (OSError, TimeoutError) as error:
            raise Broken from error
        finally:
            if writer is not None:
                writer.transport.abort()
        top, separator, rest = whole.partition(b"\r\n\r\n")
        lines = top.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if not separator or len(rest) < int(headers.get("content-length", "0")):
            raise Broken
        return int(lines[0].split()[1]), json.loads(rest), headers

    def heard(self, status, body, headers):
        if status == 201:
            self.answers.append((body["id"], headers.get("idempotent-replayed") == "true"))
            self.first.set()
        else:
            if status != 503:
                raise AssertionError(f"{status}: {body}")
            self.refused[body.get("code")] += 1

    async def one_try(self):
        # Half of them do not wait for long.
        patience = self.random.choice((self.random.uniform(0.002, 0.1), 5))
        twins = 2 if self.random.random() < TWINS else 1
        for result in await asyncio.gather(*(self.ask(self.body, patience) for _ in range(twins)),
                                           return_exceptions=True):
            if isinstance(result, Broken):
                self.broken += 1
            elif isinstance(result, BaseException):
                raise result
            else:
                self.heard(*result)
        if not self.answers:
            await asyncio.sleep(self.random.uniform(0, 0.2))

    async def run(self):
        while len(self.answers) < ANSWERS:
            await self.one_try()
        if self.random.random() >= OTHER_BODY:
            return None
        while True:
            try:
                return await self.ask({**self.body, "body": "another"}, 5)
            except Broken:
                await asyncio.sleep(self.random.uniform(0, 0.2))


async def one_of(tasks, event):
    """The event; or what is wrong with one of the tasks."""
    event = asyncio.ensure_future(event)
    while not event.done():
        left = [task for task in tasks if not task.done()]
        await asyncio.wait([event, *left], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()


class RetryingClients(unittest.TestCase):
    kills = KILLS
    clients = CLIENTS

    def test_one_message_each(self):
        print(f"seed {SEED} (TRUNKLINE_CRASH_SEED repeats the choices)")
        with tempfile.TemporaryDirectory(dir=os.environ.get("TRUNKLINE_TMP")) as directory, \
                World(directory, [harness.carrier_spec("alpha"), harness.carrier_spec("beta")]) as world:
            world.start_simulator(seed=SEED)
            port = harness.free_port()
            world.address = ("127.0.0.1", port)
            world.write_config(smpp={"reconnect_first": "20ms", "reconnect_max": "100ms"},
                               listen={"http": {"address": f"127.0.0.1:{port}"}, "admin": {"address": "127.0.0.1:0"}})
            world.start_gateway()
            clients, others = asyncio.run(self.all_of_them(world))
            self.judge(world, clients, others)

    async def all_of_them(self, world):
        rng = random.Random(SEED)
        slots = asyncio.Semaphore(AT_ONCE)
        clients = [Client(world, i, random.Random(rng.random()), slots) for i in range(self.clients)]
        tasks = []
        # As many groups as kills; each kill comes when some of its group have their first answer, and most have none.
        for kill in range(self.kills):
            group = clients[kill * self.clients // self.kills:(kill + 1) * self.clients // self.kills]
            tasks += [asyncio.create_task(c.run()) for c in group]
            await one_of(tasks, rng.choice(group).first.wait())
            await asyncio.sleep(rng.uniform(0, 0.2))
            world.gateway.kill()
            await asyncio.to_thread(world.gateway.wait)
            await asyncio.to_thread(world.start_gateway)
        return clients, [answer for answer in await asyncio.gather(*tasks) if answer is not None]

    def judge(self, world, clients, others):
        broken, refused = sum(c.broken for c in clients), sum((c.refused for c in clients), collections.Counter())
        print(f"{len(clients)} clients, {self.kills} kills: {broken} requests broken off, refused {dict(refused)}, "
              f"{sum(replayed for c in clients for _, replayed in c.answers)} answers were replays")
        self.assertGreater(broken, self.kills)
        for c in clients:
            self.assertEqual(len({message for message, _ in c.answers}), 1, (c.key, c.answers))
            self.assertLessEqual(sum(not replayed for _, replayed in c.answers), 1, (c.key, c.answers))
        ids = {c.answers[0][0] for c in clients}
        self.assertEqual(len(ids), len(clients))
        self.assertGreater(len(others), 0)
        self.assertEqual({(status, body["code"]) for status, body, _ in others}, {(422, "idempotency_mismatch")})

        api = world.api()
        wait_until("all has ended", SETTLE_SECONDS, lambda: not any(True for _ in harness.unsettled(api)), step=0.5)
        messages = list(harness.all_messages(api))
        self.assertEqual(len(messages), len(clients))
        self.assertEqual({m["id"] for m in messages}, ids)
        harness.write_messages(world.directory / "messages.ndjson", messages)
        accepted = world.directory / "accepted.ndjson"
        accepted.write_text("".join(json.dumps({"t": 0, "key": c.key, "id": c.answers[0][0], "to": c.to,
                                                "token": c.token}) + "\n" for c in clients))
        self.assertEqual(world.simulator.stop(), 0, world.simulator.log_tail())
        code, verdict, why = verify(accepted, world.ledger, messages=world.directory / "messages.ndjson")
        print("verdict:", verdict, why)
        self.assertEqual(code, 0, verdict)
        self.assertEqual((verdict["accepted"], verdict["lost"], verdict["unflagged_duplicates"]), (len(clients), 0, 0))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    options, rest = parser.parse_known_args()
    RetryingClients.kills, RetryingClients.clients = options.kills, options.clients
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)

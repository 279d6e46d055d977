"""Records what passes through a TCP connection and writes it as a capture file, without any privilege: a relay keeps the
octets with their direction and time, and they are given IP and TCP headers afterwards."""
import selectors
import socket
import struct
import subprocess
import threading
import time

SEGMENT = 1400
PEER, OURS = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])


class Relay:
    """Listens on a port of its own; each connection to it becomes one to `address` ("host:port"). `ours`: which side is
    Trunkline, "client" or "server"."""

    def __init__(self, address, ours):
        self.ours = ours
        host, _, port = address.rpartition(":")
        self.to = (host, int(port))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.connections = []  # lists of (time, from_client, octets)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            record = []
            self.connections.append(record)
            threading.Thread(target=self.run, args=(client, record), daemon=True).start()

    def run(self, client, record):
        with client, socket.create_connection(self.to) as server, selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, (server, True))
            selector.register(server, selectors.EVENT_READ, (client, False))
            while True:
                for key, _ in selector.select():
                    to, from_client = key.data
                    try:
                        octets = key.fileobj.recv(65536)
                        if not octets:
                            return
                        record.append((time.time(), from_client, octets))
                        to.sendall(octets)
                    except OSError:
                        return

    def close(self):
        self.listener.close()

    def pdus(self, mine):
        """Every PDU that Trunkline (mine) or its peer sent: octets."""
        out = []
        for record in self.connections:
            stream = b"".join(octets for _, from_client, octets in record if (from_client == (self.ours == "client")) == mine)
            while len(stream) >= 16:
                size = struct.unpack(">I", stream[:4])[0]
                if size < 16 or size > len(stream):
                    raise AssertionError(f"no PDU: {stream[:32].hex()}")
                out.append(stream[:size])
                stream = stream[size:]
            if stream:
                raise AssertionError(f"half a PDU: {stream.hex()}")
        return out

    def write(self, path, port=2775):
        """A capture of all connections; Trunkline has the address OURS, the server the port `port`."""
        with open(path, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))  # raw IP
            for number, record in enumerate(self.connections):
                if record:
                    self.write_connection(file, record, 40000 + number, port)

    def write_connection(self, file, record, client_port, server_port):
        next_sequence = {True: 1000, False: 5000}

        def packet(when, from_client, flags, octets=b""):
            ports = (client_port, server_port) if from_client else (server_port, client_port)
            mine = from_client == (self.ours == "client")
            tcp = struct.pack(">HHIIBBHHH", *ports, next_sequence[from_client], next_sequence[not from_client] if flags & 0x10 else 0,
                              5 << 4, flags, 65535, 0, 0) + octets
            header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0) + (OURS + PEER if mine else PEER + OURS)
            data = header + tcp
            file.write(struct.pack("<IIII", int(when), int(when % 1 * 1e6), len(data), len(data)) + data)
            next_sequence[from_client] += len(octets) + (flags & 3 != 0)

        begin = record[0][0]
        packet(begin, True, 0x02)
        packet(begin, False, 0x12)
        packet(begin, True, 0x10)
        for when, from_client, octets in record:
            for at in range(0, len(octets), SEGMENT):
                packet(when, from_client, 0x18, octets[at:at + SEGMENT])
        packet(record[-1][0], True, 0x11)
        packet(record[-1][0], False, 0x11)
        packet(record[-1][0], True, 0x10)


def tshark(path, display_filter, *fields, port=2775):
    """Rows of the fields of the packets that pass the filter."""
    done = subprocess.run(["tshark", "-n", "-r", str(path), "-d", f"tcp.port=={port},smpp", "-Y", display_filter, "-T", "fields",
                           "-E", "occurrence=a", "-E", "aggregator=;", *(a for f in fields for a in ("-e", f))],
                          capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return [line.split("\t") for line in done.stdout.splitlines()]

"""Delays every packet that iptables hands to queue 0 of this network namespace, as a long cable does.

Usage: delay.py SECONDS. The kernel's own way (netem) is a module that small machines often lack.
"""

import select
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Iterator

NETLINK_NETFILTER = 12
QUEUE, QUEUE_SUBSYSTEM = 0, 3 << 8
PACKET, VERDICT, CONFIG = 0, 1, 2
REQUEST = 1
COMMAND, PARAMETERS, MAX_LENGTH = 1, 2, 3  # attributes of CONFIG
PACKET_HEADER, VERDICT_HEADER = 1, 2
BIND, COPY_META, ACCEPT = 1, 1, 1
N_HELD, BUFFER = 65_536, 2**22
HEADER_BYTES, ATTRIBUTE_BYTES = 20, 4


def padded(n_bytes: int) -> int:
    """The length to the next attribute or message."""
    return (n_bytes + 3) & ~3


def attribute(kind: int, value: bytes) -> bytes:
    length = ATTRIBUTE_BYTES + len(value)
    return struct.pack("=HH", length, kind) + value.ljust(padded(len(value)), b"\0")


def message(kind: int, *attributes: bytes) -> bytes:
    body = struct.pack(">BBH", socket.AF_UNSPEC, 0, QUEUE) + b"".join(attributes)
    return struct.pack("=IHHII", 16 + len(body), QUEUE_SUBSYSTEM | kind, REQUEST, 0, 0) + body


def packets(data: bytes) -> Iterator[bytes]:
    """The number of each packet of an answer, as the kernel wants it back."""
    while data:
        length, kind = struct.unpack_from("=IH", data)
        position = HEADER_BYTES
        while kind == QUEUE_SUBSYSTEM | PACKET and position < length:
            n_bytes, name = struct.unpack_from("=HH", data, position)
            if name == PACKET_HEADER:
                yield data[position + ATTRIBUTE_BYTES : position + ATTRIBUTE_BYTES + 4]
            position += padded(n_bytes)
        data = data[padded(length) :]


def hold(queue: socket.socket, seconds: float) -> None:
    """Let each packet go on when its time has come."""
    held: deque[tuple[float, bytes]] = deque()
    while True:
        wait_s = max(0.0, held[0][0] - time.monotonic()) if held else None
        if select.select([queue], [], [], wait_s)[0]:
            due = time.monotonic() + seconds
            held.extend((due, number) for number in packets(queue.recv(BUFFER)))
        while held and held[0][0] <= time.monotonic():
            verdict = struct.pack(">I", ACCEPT) + held.popleft()[1]
            queue.send(message(VERDICT, attribute(VERDICT_HEADER, verdict)))


def main() -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as queue:
        queue.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        queue.send(message(CONFIG, attribute(COMMAND, struct.pack(">BBH", BIND, 0, 0))))
        queue.send(message(CONFIG, attribute(PARAMETERS, struct.pack(">IB", 0, COPY_META))))
        queue.send(message(CONFIG, attribute(MAX_LENGTH, struct.pack(">I", N_HELD))))
        print("ready", flush=True)
        hold(queue, float(sys.argv[1]))


if __name__ == "__main__":
    main()

"""Makes the captures beside this file: real ones by tcpdump, and rewrites of them.

Needs root, Linux, tcpdump and editcap. The times, ports and sequence numbers differ each time; what
the tests check does not.
"""

import socket
import struct
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).parent
REQUEST, ANSWER = b"temperature?\n", b"21.5 \xc2\xb0C\n"


def capture(name, conversation, *, options=(), interface="lo", family=socket.AF_INET, late=False):
    """Record what `conversation(client, server)` does over two connected sockets."""
    host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
    listener = socket.socket(family)
    listener.bind((host, 0))
    listener.listen()
    port = listener.getsockname()[1]
    command = [
        "tcpdump",
        "-i",
        interface,
        "-w",
        HERE / name,
        "-U",
        "--immediate-mode",
        *options,
        f"tcp port {port}",
    ]

    def connect():
        client = socket.create_connection((host, port))
        server, _ = listener.accept()
        return client, server

    ends = connect() if late else None
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tcpdump:
        while "listening on" not in tcpdump.stderr.readline():
            pass
        client, server = ends or connect()
        conversation(client, server)
        time.sleep(0.3)
        tcpdump.terminate()
        tcpdump.stderr.read()


def exchange(client, server):
    """Two questions, two answers, the client ends first."""
    for _ in range(2):
        client.sendall(REQUEST)
        server.recv(100)
        server.sendall(ANSWER)
        client.recv(100)
        time.sleep(0.01)
    client.close()
    server.recv(1)
    server.close()


def abort(client, server):
    """The server aborts after the first question."""
    client.sendall(REQUEST)
    server.recv(100)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()


def keep_alive(client, server):
    """The client is silent for so long that it probes."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    client.sendall(REQUEST)
    time.sleep(2.5)
    client.sendall(REQUEST)
    client.close()
    while server.recv(100):
        pass
    server.close()


def rewrite(source, name, *, order="<", magic=0xA1B23C4D, link=None, strip=0, prefix=b"", ticks=1):
    """Copy a little-endian nanosecond pcap with other headers."""
    data = (HERE / source).read_bytes()
    link = struct.unpack_from("<I", data, 20)[0] if link is None else link
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)
    at = 24
    while at < len(data):
        seconds, fraction, kept, length = struct.unpack_from("<IIII", data, at)
        packet = prefix + data[at + 16 + strip : at + 16 + kept]
        change = len(prefix) - strip
        out += (
            struct.pack(order + "IIII", seconds, fraction // ticks, kept + change, length + change) + packet
        )
        at += 16 + kept
    (HERE / name).write_bytes(out)


NANO = ("--time-stamp-precision=nano",)
capture("exchange.pcap", exchange, options=NANO)
capture("exchange-ipv6.pcap", exchange, options=NANO, family=socket.AF_INET6)
capture("exchange-sll.pcap", exchange, options=("-y", "LINUX_SLL"), interface="any")
capture("exchange-sll2.pcap", exchange, options=("-y", "LINUX_SLL2"), interface="any")
capture("cut-to-48.pcap", exchange, options=("-s", "48"))
capture("reset.pcap", abort)
capture("begun-late.pcap", exchange, late=True)
capture("keep-alive.pcap", keep_alive)
rewrite("exchange.pcap", "exchange-big-endian.pcap", order=">", magic=0xA1B2C3D4, ticks=1000)
rewrite("exchange.pcap", "exchange-raw.pcap", link=101, strip=14)
rewrite("exchange.pcap", "exchange-null.pcap", link=0, strip=14, prefix=struct.pack("<I", 2))
rewrite("exchange.pcap", "exchange-loop.pcap", link=108, strip=14, prefix=struct.pack(">I", 2))
subprocess.run(["editcap", "-F", "pcapng", HERE / "exchange.pcap", HERE / "exchange.pcapng"], check=True)

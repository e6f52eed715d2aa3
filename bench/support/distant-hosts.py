"""A switch whose hosts are far from each other: forwards every frame between the interfaces port0, port1, … after a time, in order.

Arguments: milliseconds each way. What the kernel leaves to hardware that is not there (checksums, large segments) has to be switched off at the
hosts first: with the one argument "prepare" this does so for the interface "cable" of the host it runs at. Needs root."""

import ctypes
import fcntl
import heapq
import select
import socket
import struct
import sys
import time

SIOCETHTOOL = 0x8946
ETHTOOL_SET_SENDS_CHECKSUMS = 0x17
ETH_P_ALL = 3


def prepare():
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    value = ctypes.create_string_buffer(struct.pack("II", ETHTOOL_SET_SENDS_CHECKSUMS, 0), 8)
    request = struct.pack("16sP", b"cable", ctypes.addressof(value))
    fcntl.ioctl(probe, SIOCETHTOOL, request.ljust(40, b"\0"))


def forward(delay_s):
    ports = {}
    for _, name in socket.if_nameindex():
        if name.startswith("port"):
            port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            port.bind((name, ETH_P_ALL))
            port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
            port.setblocking(False)
            ports[port.fileno()] = port
    poll = select.epoll()
    for number in ports:
        poll.register(number, select.EPOLLIN)
    where = {}
    waiting = []
    count = 0
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, number, frame = heapq.heappop(waiting)
            target = where.get(frame[:6])
            for other in [target] if target is not None else [n for n in ports if n != number]:
                try:
                    ports[other].send(frame)
                except OSError:
                    pass
        wait = -1 if not waiting else max(0, waiting[0][0] - now)
        for number, _ in poll.poll(wait):
            while True:
                try:
                    frame, (_, _, kind, *_) = ports[number].recvfrom(65535)
                except BlockingIOError:
                    break
                if kind == socket.PACKET_OUTGOING:
                    continue
                where[frame[6:12]] = number
                count += 1
                heapq.heappush(waiting, (time.monotonic() + delay_s, count, number, frame))


if sys.argv[1] == "prepare":
    prepare()
else:
    forward(float(sys.argv[1]) / 1000)

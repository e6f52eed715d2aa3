"""Prints a line of JSON for every announce and lookup that a host sends through the switch this runs at (test/support/namespace.ts): by
local discovery (BEP 14) and to DHT nodes (BEP 5), with the sender's address and the info-hash. Needs root."""

import json
import re
import socket

ETH_P_ALL = 3
ETH_P_IP = 0x0800
UDP = 17
LSD_PORT = 6771
MARK = b"9:info_hash20:"


def report(way, sender, info_hash):
    line = {"way": way, "from": sender, "infoHash": info_hash}
    print(json.dumps(line), flush=True)


def look(frame):
    if len(frame) < 42 or int.from_bytes(frame[12:14], "big") != ETH_P_IP:
        return
    ip = frame[14:]
    if ip[9] != UDP:
        return
    udp = ip[(ip[0] & 15) * 4 :]
    sender = socket.inet_ntoa(ip[12:16])
    payload = udp[8 : int.from_bytes(udp[4:6], "big")]
    if int.from_bytes(udp[2:4], "big") == LSD_PORT:
        for info_hash in re.findall(rb"(?i)infohash: *([0-9a-f]{40})", payload):
            report("lan", sender, info_hash.decode().lower())
    at = payload.find(MARK)
    if at >= 0 and b"1:y1:q" in payload:
        start = at + len(MARK)
        way = "dht-announce" if b"13:announce_peer" in payload else "dht-lookup"
        report(way, sender, payload[start : start + 20].hex())


watch = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
watch.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
print(json.dumps({"way": "ready"}), flush=True)
while True:
    frame, (name, _, kind, *_) = watch.recvfrom(65535)
    # Once each: as it arrives from its sender, not as it leaves to the others.
    if name.startswith("port") and kind != socket.PACKET_OUTGOING:
        look(frame)

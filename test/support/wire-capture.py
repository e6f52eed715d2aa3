"""Writes every frame that arrives at an interface of this namespace to a file; says "ready" when it begins. Usage: wire-capture.py FILE"""
import socket
import sys

frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
frames.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024 * 1024)
with open(sys.argv[1], "wb", buffering=0) as file:
    print("ready", flush=True)
    while True:
        file.write(frames.recv(262144))

"""A client with the smallest buffers a socket can have: thin_pipe.py HOST PORT [BYTES_A_SECOND]

Sends its standard input and writes what comes to its standard output. What the server cannot get rid of it has to keep
itself, soon: whoever stops this process, or lets it read a few bytes a second, has a slow listener.
"""
import socket
import sys
import threading
import time

host, port = sys.argv[1], int(sys.argv[2])
rate = int(sys.argv[3]) if len(sys.argv) > 3 else None

client = socket.socket()
client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)  # the server's own buffer grows with the size of segments
client.connect((host, port))
threading.Thread(target=lambda: client.sendall(sys.stdin.buffer.read()), daemon=True).start()
try:
    while received := client.recv(rate or 1 << 16):
        sys.stdout.buffer.write(received)
        sys.stdout.buffer.flush()
        time.sleep(1 if rate else 0)
except ConnectionError:
    pass  # cut off: the end of the output says so

"""A bad link, as a proxy on loopback: a kernel without netem has no other way.

What loss does to a connection is a limit of its speed: with half a percent lost and 80 ms
there and back, TCP reaches about 1.22 × 1460 bytes / (0.08 s × √0.005) (Mathis and others,
1997), which is 315 kB a second.
"""

import socket
import threading
import time
from collections import deque

DELAY = 0.04  # seconds, one way
A_CONNECTION = 315e3  # bytes a second
TOGETHER = 100e6 / 8  # bytes a second
PIECE = 16 << 10  # bytes


class Pace:
    """Lets so many bytes a second through."""

    def __init__(self, speed):
        self.speed = speed
        self.lock = threading.Lock()
        self.free = 0.0

    def when(self, count):
        """The time at which so many bytes have gone through."""
        with self.lock:
            self.free = max(self.free, time.monotonic()) + count / self.speed
            return self.free


def serve(port, target):
    """Passes connections on to `target`, slowly, until the process ends."""
    together = Pace(TOGETHER)
    listener = socket.create_server(("127.0.0.1", port), backlog=64)
    while True:
        near, _ = listener.accept()
        threading.Thread(target=_connection, args=(near, target, together), daemon=True).start()


def _connection(near, target, together):
    time.sleep(2 * DELAY)
    far = socket.create_connection(target)
    for source, sink in ((near, far), (far, near)):
        threading.Thread(target=_pass, args=(source, sink, together), daemon=True).start()


def _pass(source, sink, together):
    """Reads as fast as the pace lets, and writes when a delay is over."""
    pace, waiting, there = Pace(A_CONNECTION), deque(), threading.Condition()

    def write():
        while True:
            with there:
                there.wait_for(lambda: waiting)
                due, data = waiting.popleft()
            time.sleep(max(due - time.monotonic(), 0))
            try:
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)
            except OSError:
                return

    threading.Thread(target=write, daemon=True).start()
    data = b"-"
    while data:
        try:
            data = source.recv(PIECE)
        except OSError:
            data = b""
        if data:
            time.sleep(max(max(pace.when(len(data)), together.when(len(data))) - time.monotonic(), 0))
        with there:
            waiting.append((time.monotonic() + DELAY, data))
            there.notify()

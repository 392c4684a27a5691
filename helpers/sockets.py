"""Sockets that servers of this machine listen on. Standard library only; any room may use it."""

import os
import socket


def listen(host: str, port: int = 0) -> socket.socket:
    """A socket bound to an address; port 0 takes a free one. Raises OSError when it is taken."""
    # With the protocol named, asyncio sets TCP_NODELAY; without it, half of the answers wait 40 ms.
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":  # a port just given up; on Windows this would share it with others
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError:
        found.close()
        raise
    return found

"""The rival of the fan-out: a bare `websockets` server that broadcasts what its first client sends to all others.

`python -m bench.bare_sockets <file descriptor of a listening socket> <connections>`. The first client gets, for each
message, the CPU seconds of this process after the broadcast. An empty message is not broadcast.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

from app.server import allow_files


async def run(listening: socket.socket, most: int) -> None:
    """Serve until terminated."""
    others: set[ServerConnection] = set()
    controls: list[ServerConnection] = []

    async def converse(connection: ServerConnection) -> None:
        if not controls:
            controls.append(connection)
            async for message in connection:
                if message:
                    broadcast(others, message)
                await asyncio.sleep(0)
                await connection.send(str(time.process_time()))
        else:
            others.add(connection)
            await connection.wait_closed()
            others.discard(connection)

    allow_files(most)
    async with serve(converse, sock=listening, compression=None, ping_interval=None):
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # the loop of the service
        runner.run(run(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])))

"""How new connections are taken when many come at once."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest
import uvloop

from app.listening import bound, shared
from tests.support.coroutines import run

MANY = 200


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_hundreds_of_connections_are_taken_in_a_few_rounds(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """The last of them may be a health check; what comes on the others makes each round long."""
    taken = 0

    class Server(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            nonlocal taken
            taken += 1
            transport.close()

    async def rounds() -> int:
        with bound("A server", "127.0.0.1", 0) as listener, ExitStack() as stack:
            for one in shared(listener):
                server = await asyncio.get_running_loop().create_server(Server, sock=one, backlog=2 * MANY)
                stack.callback(server.close)
            for _ in range(MANY):
                stack.enter_context(socket.create_connection(listener.getsockname()))
            count = 0
            while taken < MANY:
                await asyncio.sleep(0)
                count += 1
            return count

    assert run(rounds(), loop) < MANY / 10

"""What a program cannot do on a virtual loop, and what to do instead: a table, and who reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from indelible.model.errors import ImplementationError

__all__ = ["REFUSED", "refuses"]

_STREAMS: Final = "use streams, create_connection, create_server or create_datagram_endpoint"
_ADAPTER: Final = "let the adapter replace it"
_LOOP: Final = "the adapter runs the loop: start what is to run in build()"

REFUSED: Final = {
    **dict.fromkeys(
        (
            *("sock_recv", "sock_recv_into", "sock_recvfrom", "sock_recvfrom_into"),
            *("sock_sendall", "sock_sendto", "sock_connect", "sock_accept", "sock_sendfile"),
            *("add_reader", "remove_reader", "add_writer", "remove_writer"),
            *("connect_accepted_socket", "create_unix_connection", "create_unix_server"),
            *("start_tls", "sendfile"),
        ),
        ("there are no sockets", _STREAMS),
    ),
    **dict.fromkeys(
        ("getaddrinfo", "getnameinfo"),
        ("there is nobody to ask for names", "use the addresses that the adapter gives nodes"),
    ),
    **dict.fromkeys(
        ("connect_read_pipe", "connect_write_pipe", "subprocess_exec", "subprocess_shell"),
        ("there are no other processes", _ADAPTER),
    ),
    **dict.fromkeys(
        ("run_forever", "run_until_complete", "stop", "close"),
        ("a node ends when the world says so", _LOOP),
    ),
}
"""By the name of the method of a loop: why it cannot be had, and what to do instead."""

T = TypeVar("T", bound=type)


def refuses(*names: str) -> Callable[[T], T]:
    """A class decorator: these methods of the loop refuse."""

    def decorate(cls: T) -> T:
        for name in names:
            setattr(cls, name, _refusal(name))
        return cls

    return decorate


def _refusal(name: str) -> Callable[..., Any]:
    cause, remedy = REFUSED[name]

    def refuse(self: Any, *_: object, **__: object) -> Any:
        raise self.refuse(
            ImplementationError(
                f"the program called {name}() of its event loop", cause=cause, remedy=remedy
            )
        )

    refuse.__name__ = name
    return refuse

"""Close codes. They are part of the protocol: docs/events.md lists them."""

from __future__ import annotations

from enum import IntEnum


class CloseCode(IntEnum):
    """Why the server ends a connection. A client acts on the code; there is no text beside it."""

    def __new__(cls, code: int, meaning: str) -> CloseCode:
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    meaning: str

    GOING_AWAY = 1012, "The process stops. Come back at once: another one answers."
    BAD_MESSAGE = 4400, "The handshake or a message is malformed. The same again would end the same way."
    UNAUTHENTICATED = 4401, "The token is missing, forged or expired, or the session is over. Sign in or refresh."
    FORBIDDEN = 4403, "The agency is suspended, or the web page's origin is not allowed."
    TIMEOUT = 4408, "No hello came in time, or the client answered no ping."
    TOO_MANY_CONNECTIONS = 4409, "The process, the agency or the user has as many connections as allowed. Wait."
    TOO_LARGE = 4413, "A message was too large. One of more than four times the limit ends with 1009."
    TOO_MANY_MESSAGES = 4429, "The client sent too many messages. Wait."
    TOO_SLOW = 4430, "The client did not read what was sent. Come back and resume."


class Closed(Exception):
    """Ends a connection with `code`."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(code.name)
        self.code = code

"""A server that speaks the SES v2 protocol (POST /v2/email/outbound-emails) and answers as it is told."""

from __future__ import annotations

import base64
import email
import email.policy
import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

CONFIGURATION_SET = "fusionems-tests"


@dataclass(frozen=True)
class Refusal:
    """An error as SES answers it."""

    status: int
    code: str


class Reset:
    """The connection is reset when the request has been read."""


class Silence:
    """No answer until the server is stopped, or `released`."""

    def __init__(self) -> None:
        self.released = threading.Event()


Answer = Refusal | Reset | Silence | None


class SesServer:
    """`script` holds the answers to come; without one, a request is accepted. `taken` are the requests, in order."""

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.taken: list[dict[str, Any]] = []
        self.read = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._silences: list[Silence] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator[SesServer]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            for silence in self._silences:
                silence.released.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def reset(self) -> None:
        self.script, self.taken = [], []

    def tagged(self, message_id: object) -> list[dict[str, Any]]:
        """Requests with our message's tag."""
        tag = {"Name": "message_id", "Value": str(message_id)}
        return [taken for taken in self.taken if tag in taken["EmailTags"]]

    def mail(self, message_id: object) -> EmailMessage:
        """The one message that was given to SES under this tag."""
        [taken] = self.tagged(message_id)
        content = base64.b64decode(taken["Content"]["Raw"]["Data"])
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    def take(self, request: dict[str, Any]) -> tuple[int, Answer]:
        with self._lock:
            self.taken.append(request)
            answer = self.script.pop(0) if self.script else None
            if isinstance(answer, Silence):
                self._silences.append(answer)
            return len(self.taken), answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                assert self.path == "/v2/email/outbound-emails"
                number, answer = server.take(orjson.loads(body))
                server.read.release()
                if isinstance(answer, Reset):
                    self.close_connection = True
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    os.close(self.connection.detach())  # rfile and wfile hold the socket open
                    return
                if isinstance(answer, Silence):
                    answer.released.wait()
                    self.close_connection = True
                    return
                self._answer(answer, number)

            def _answer(self, answer: Refusal | None, number: int) -> None:
                content = {"MessageId": f"ses-{number}"} if answer is None else {"message": "CANARY recipient refused"}
                body = orjson.dumps(content)
                self.send_response(200 if answer is None else answer.status)
                if answer is not None:
                    self.send_header("x-amzn-ErrorType", answer.code)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                """Quiet."""

            def finish(self) -> None:
                if not self.wfile.closed and self.connection.fileno() != -1:
                    super().finish()

        return Handler

"""Sealed tokens: what was written is read, in that one spelling; nothing else is."""

from __future__ import annotations

import base64
import datetime as dt
import string
import uuid
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import sealed
from app.core.clock import utcnow
from app.core.keys import Keyring
from app.core.sealed import MAX_TOKEN, Expiring, SealedTokens

KEYS = Keyring(b"one secret of thirty-two bytes...")
ALPHABET = string.ascii_letters + string.digits + "-_"


@dataclass(frozen=True, slots=True)
class Ticket:
    ticket_id: uuid.UUID
    seat: int
    gate: str = "A"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass(Expiring):
    ticket_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Renamed:
    ticket: uuid.UUID


TICKETS = SealedTokens("ticket", Ticket)
PASSES = SealedTokens("pass", Pass)
tickets = st.builds(Ticket, st.uuids(), st.integers(-(2**31), 2**31), st.text(max_size=20))


def signed(payload: str, purpose: str = "ticket") -> str:
    """A text with a good seal over whatever it says."""
    return f"{payload}.{base64.urlsafe_b64encode(KEYS.seal(purpose, payload.encode())).decode().rstrip('=')}"


@given(tickets)
def test_what_was_written_is_read_and_written_the_same_again(ticket: Ticket) -> None:
    text = TICKETS.write(KEYS, ticket)
    assert TICKETS.read(KEYS, text) == ticket
    assert TICKETS.write(KEYS, ticket) == text
    assert text.startswith("1.") and set(text) <= set(ALPHABET + ".")


@given(tickets, st.data())
def test_no_text_that_differs_in_one_character_is_read(ticket: Ticket, data: st.DataObject) -> None:
    text = TICKETS.write(KEYS, ticket)
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.one_of(st.sampled_from(ALPHABET), st.characters()).filter(lambda char: char != text[at]))
    for altered in (text[:at] + other + text[at + 1 :], text[:at] + text[at + 1 :], text[:at] + other + text[at:]):
        assert TICKETS.read(KEYS, altered) is None


@given(st.text(max_size=200))
def test_any_text_is_refused_without_an_error(text: str) -> None:
    assert TICKETS.read(KEYS, text) is None
    assert TICKETS.read(KEYS, f"1.{text}") is None


def test_other_spellings_of_the_same_bytes_are_refused() -> None:
    """32 bytes end in a character whose last two bits mean nothing: decoders take four spellings for one seal."""
    text = TICKETS.write(KEYS, Ticket(uuid.uuid4(), 7))
    seal = text.rpartition(".")[2]
    raw = base64.urlsafe_b64decode(seal + "=")
    twins = [char for char in ALPHABET if base64.urlsafe_b64decode(seal[:-1] + char + "=") == raw]
    assert len(twins) == 4 and text[-1] in twins
    others = [text[:-1] + char for char in twins if char != text[-1]]
    others += [f"{text}=", f"{text}\n", f" {text}", text.replace(".", ". "), text + "A", text[:-1]]
    assert [TICKETS.read(KEYS, other) for other in others] == [None] * len(others)
    assert TICKETS.read(KEYS, text) is not None


def test_token_of_another_purpose_secret_or_version_is_refused() -> None:
    ticket = Ticket(uuid.uuid4(), 7)
    text = TICKETS.write(KEYS, ticket)
    assert SealedTokens("other", Ticket).read(KEYS, text) is None
    assert TICKETS.read(Keyring(b"another secret of thirty-two...."), text) is None
    payload = text.split(".")[1]
    assert TICKETS.read(KEYS, signed(f"1.{payload}")) == ticket
    for version in ("", "2.", "11.", "0.", "v1."):
        assert TICKETS.read(KEYS, signed(f"{version}{payload}")) is None


def test_sealed_content_that_is_no_payload_is_refused() -> None:
    for content in (b"", b"[]", b"{}", b'{"ticket_id": 7, "seat": 1}', b"\xff"):
        assert TICKETS.read(KEYS, signed("1." + base64.urlsafe_b64encode(content).decode().rstrip("="))) is None
    older = SealedTokens("ticket", Renamed).write(KEYS, Renamed(uuid.uuid4()))
    assert TICKETS.read(KEYS, older) is None


def test_expiry_is_checked_by_whoever_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    now = utcnow().replace(microsecond=0)
    admitted = Pass(ticket_id=uuid.uuid4(), expires=int(now.timestamp()) + 60)
    text = PASSES.write(KEYS, admitted)
    for seconds, read in ((0, admitted), (59, admitted), (60, None), (61, None)):
        monkeypatch.setattr(sealed, "utcnow", lambda at=now + dt.timedelta(seconds=seconds): at)
        assert PASSES.read(KEYS, text) == read


def test_length_is_bounded_both_ways() -> None:
    ticket = Ticket(uuid.UUID(int=1), 1, "x" * 1_400)
    assert TICKETS.read(KEYS, TICKETS.write(KEYS, ticket)) == ticket
    with pytest.raises(ValueError, match="longer than 2048"):
        TICKETS.write(KEYS, Ticket(uuid.UUID(int=1), 1, "x" * MAX_TOKEN))
    assert TICKETS.read(KEYS, signed("1." + "A" * MAX_TOKEN)) is None

"""What one subscription sends, holds back and drops."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid

import pytest

from app.core.ids import TenantId, new_id
from app.core.outbox.positions import Placed
from app.realtime.channels import Channel
from app.realtime.closing import CloseCode
from app.realtime.messages import Message
from app.realtime.subscription import Subscription

TENANT = TenantId(uuid.uuid4())


@dataclasses.dataclass
class Log:
    """A client that keeps what it is sent."""

    id: uuid.UUID = dataclasses.field(default_factory=new_id)
    heard: list[str] = dataclasses.field(default_factory=list)
    closed_with: CloseCode | None = None

    def put(self, text: str) -> None:
        self.heard.append(text)

    def tell(self, message: Message) -> None:
        raise AssertionError(message)

    def close(self, code: CloseCode) -> None:
        self.closed_with = code


def event(number: int) -> tuple[Placed, str]:
    """The event with that position and sequence."""
    now = dt.datetime.now(dt.UTC)
    placed = Placed(number, TENANT, "claims", "claim.read", number, uuid.uuid4(), "claim.updated", now, {})
    return placed, str(number)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def subscription(log: Log) -> Subscription:
    return Subscription(log, Channel(TENANT, "claims"), ["claim.read"])


def test_what_comes_while_older_events_are_read_follows_them(log: Log, subscription: Subscription) -> None:
    subscription.take(*event(2))
    subscription.give(*event(1))
    assert log.heard == ["1"]
    subscription.release()
    assert log.heard == ["1", "2"] and log.closed_with is None


def test_subscription_that_has_ended_sends_nothing_of_its_replay(log: Log, subscription: Subscription) -> None:
    subscription.take(*event(2))
    subscription.ended = True
    subscription.give(*event(1))
    subscription.release()
    subscription.take(*event(3))
    assert log.heard == [] and log.closed_with is None


def test_nothing_piles_up_for_a_replay_that_waits_for_its_client(log: Log, subscription: Subscription) -> None:
    subscription.skip()
    subscription.take(*event(1))
    subscription.hold()
    subscription.take(*event(2))
    subscription.give(*event(1))
    subscription.release()
    assert log.heard == ["1", "2"] and log.closed_with is None
    waiting = Subscription(log, subscription.channel, ["claim.read"])
    waiting.skip()
    waiting.take(*event(1))
    waiting.release()
    assert log.heard == ["1", "2"], "it was left to the next read"

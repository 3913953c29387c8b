"""Uploads to a real SFTP server: a file is there whole under its name, or not at all."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from app.billing.delivery.failures import DeliveryPostponed, DeliveryRefused, DeliveryUnanswered, NotDelivered
from app.billing.delivery.gateway import OutboundFile, SftpSender, SftpServer, put_into
from app.billing.delivery.login import CLEARINGHOUSE_LOGIN, SftpLogin, read_login
from tests.billing.delivery.server import PASSWORD, USERNAME, Running, clearinghouse_server, port_that_never_speaks

FILE = OutboundFile("837P_000000101.txt", b"ISA*00*~\n" * 40_000)
UNFINISHED = f".{FILE.name}.part"
SENDER = SftpSender()


def login(**changes: str) -> SftpLogin:
    return read_login(json.dumps({"username": USERNAME, "password": PASSWORD, **changes}))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Running]:
    async with clearinghouse_server(tmp_path / "house") as running:
        yield running


def server_of(house: Running, **changes: Any) -> SftpServer:
    return replace(SftpServer("127.0.0.1", house.port, "/inbound", house.public_key), **changes)


async def expect_refusal(house: Running, error: type[NotDelivered], *, code: str, **changes: Any) -> None:
    with pytest.raises(error) as found:
        await SENDER.send(server_of(house, **changes), login(), FILE)
    assert type(found.value) is error
    assert found.value.code == code
    assert str(found.value) == code, "no words of the server"


async def test_a_file_arrives_under_its_name(house: Running) -> None:
    await SENDER.send(server_of(house), login(), FILE)
    assert house.names() == [FILE.name]
    assert house.content(FILE.name) == FILE.content


async def test_the_same_file_again_is_delivered_once(house: Running) -> None:
    for _ in range(2):
        await SENDER.send(server_of(house), login(), FILE)
    assert house.names() == [FILE.name]
    assert house.faults.written == len(FILE.content), "the second attempt wrote nothing"


async def test_a_name_that_is_taken_is_not_overwritten(house: Running) -> None:
    for taken in (b"another file", b"x" * len(FILE.content)):
        house.put(FILE.name, taken)
        await expect_refusal(house, DeliveryRefused, code="NAME_TAKEN")
        assert house.names() == [FILE.name]
        assert house.content(FILE.name) == taken


async def test_a_cut_in_the_middle_leaves_no_file_and_the_next_attempt_cleans_up(house: Running) -> None:
    house.faults.cut_after = len(FILE.content) // 2
    await expect_refusal(house, DeliveryPostponed, code="UNAVAILABLE")
    assert house.names() == [UNFINISHED], "a half-written upload is never taken for a file"
    house.faults.cut_after = None
    await SENDER.send(server_of(house), login(), FILE)
    assert house.names() == [FILE.name]
    assert house.content(FILE.name) == FILE.content


async def test_a_cut_at_the_rename_may_mean_success(house: Running) -> None:
    house.faults.cut_at_rename = True
    await expect_refusal(house, DeliveryUnanswered, code="UNANSWERED")
    house.faults.cut_at_rename, house.faults.rename_then_cut = False, True
    await expect_refusal(house, DeliveryUnanswered, code="UNANSWERED")
    assert house.names() == [FILE.name]
    written = house.faults.written
    house.faults.rename_then_cut = False
    await SENDER.send(server_of(house), login(), FILE)
    assert house.faults.written == written, "the next attempt finds the file first"


async def test_a_file_that_the_server_does_not_list_is_for_a_person(house: Running) -> None:
    house.faults.loses = True
    await expect_refusal(house, DeliveryRefused, code="NOT_SEEN")


async def test_another_host_key_gets_neither_login_nor_file(house: Running) -> None:
    for kind in ("ssh-ed25519", "ecdsa-sha2-nistp256"):
        other = asyncssh.generate_private_key(kind).export_public_key().decode()
        await expect_refusal(house, DeliveryRefused, code="HOST_KEY", host_key=other)
    assert house.faults.logins == []
    assert house.names() == []


async def test_an_empty_host_key_is_refused_and_never_means_any_key(house: Running) -> None:
    with pytest.raises(ValueError, match="not a public key"):
        await SENDER.send(server_of(house, host_key=""), login(), FILE)
    assert house.faults.logins == []


async def test_a_wrong_password_is_not_tried_again(house: Running) -> None:
    with pytest.raises(DeliveryRefused) as found:
        await SENDER.send(server_of(house), login(password="wrong"), FILE)
    assert found.value.code == "LOGIN_REFUSED"


async def test_a_directory_that_is_not_there_is_refused(house: Running) -> None:
    await expect_refusal(house, DeliveryRefused, code="DIRECTORY_REFUSED", directory="/outbound")


async def test_a_server_that_is_away_or_silent_is_tried_later(house: Running) -> None:
    hasty = SftpSender(connect_seconds=2, login_seconds=0.3)
    async with port_that_never_speaks() as port:
        with pytest.raises(DeliveryPostponed) as silent:
            await hasty.send(replace(server_of(house), port=port), login(), FILE)
    with pytest.raises(DeliveryPostponed) as away:
        await hasty.send(replace(server_of(house), port=port), login(), FILE)
    assert (silent.value.code, away.value.code) == ("UNAVAILABLE",) * 2


async def test_a_slow_server_is_left_in_time(house: Running) -> None:
    with pytest.raises(DeliveryPostponed) as found:
        await SftpSender(whole_seconds=0).send(server_of(house), login(), FILE)
    assert found.value.code == "UNAVAILABLE"
    assert house.names() == []


@pytest.mark.parametrize("passphrase", [None, "open sesame"])
async def test_a_private_key_signs_in(tmp_path: Path, passphrase: str | None) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    exported = key.export_private_key(passphrase=passphrase).decode()
    value = {"username": USERNAME, "private_key": exported} | ({} if passphrase is None else {"passphrase": passphrase})
    async with clearinghouse_server(tmp_path / "house", key) as house:
        await SENDER.send(server_of(house), read_login(json.dumps(value)), FILE)
        assert house.names() == [FILE.name]


@pytest.mark.parametrize(
    "value",
    [
        "prairie",
        "{}",
        '{"username": "x"}',
        '{"username": " ", "password": "x"}',
        '{"username": "x", "password": "y", "private_key": "z"}',
        '{"username": "x", "private_key": "-----BEGIN"}',
        '{"username": "x", "password": "y", "host": "z"}',
    ],
)
def test_a_login_that_nobody_can_use_is_refused_without_quoting_it(value: str) -> None:
    assert CLEARINGHOUSE_LOGIN.problem is not None
    problem = CLEARINGHOUSE_LOGIN.problem(value)
    assert problem is not None and problem.startswith("Give JSON")
    assert CLEARINGHOUSE_LOGIN.problem('{"username": "x", "password": "y"}') is None


async def test_a_directory_takes_a_file_once(tmp_path: Path) -> None:
    for _ in range(2):
        await put_into(tmp_path / "agency", FILE)
    assert [path.name for path in (tmp_path / "agency").iterdir()] == [FILE.name]
    assert (tmp_path / "agency" / FILE.name).stat().st_mode & 0o777 == 0o600
    with pytest.raises(DeliveryRefused) as taken:
        await put_into(tmp_path / "agency", OutboundFile(FILE.name, b"other"))
    assert taken.value.code == "NAME_TAKEN"
    with pytest.raises(DeliveryPostponed):
        await put_into(tmp_path / "agency" / FILE.name, FILE)
    assert (tmp_path / "agency" / FILE.name).read_bytes() == FILE.content

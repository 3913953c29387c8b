"""Password hashes: bcrypt's limits are refused instead of ignored; an unknown account costs as much as a known one."""

from __future__ import annotations

import pytest
from passlib.context import CryptContext

from app.core.auth.passwords import PasswordHasher


@pytest.fixture(scope="module")
def hasher() -> PasswordHasher:
    return PasswordHasher(4)


@pytest.mark.parametrize("password", ["correct horse", "é" * 36, "x" * 72, " leading and trailing ", "\N{AMBULANCE}"])
async def test_hash_verifies_its_own_password_only(hasher: PasswordHasher, password: str) -> None:
    stored = await hasher.hash(password)
    assert password not in stored and stored.startswith("$2b$04$")
    assert await hasher.verify(password, stored) is True
    assert await hasher.verify(password + "x", stored) is False
    assert await hasher.verify(password.upper() + "?", stored) is False
    assert await hasher.verify("", stored) is False


async def test_same_password_has_two_hashes(hasher: PasswordHasher) -> None:
    assert await hasher.hash("same") != await hasher.hash("same")


async def test_what_bcrypt_would_cut_off_is_refused(hasher: PasswordHasher) -> None:
    with pytest.raises(ValueError, match="72 bytes"):
        await hasher.hash("x" * 73)
    with pytest.raises(ValueError, match="72 bytes"):
        await hasher.hash("é" * 37)
    stored = await hasher.hash("x" * 72)
    assert await hasher.verify("x" * 73, stored) is False
    assert await hasher.verify("x" * 72 + "é", stored) is False


async def test_account_without_a_hash_is_refused_after_the_same_work(
    hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    verify = CryptContext.verify

    def counting(self: CryptContext, secret: str, hash: str) -> bool:  # noqa: A002  # passlib's name
        verified.append(hash)
        return bool(verify(self, secret, hash))

    monkeypatch.setattr(CryptContext, "verify", counting)
    stored = await hasher.hash("known")
    for password, given in (
        ("known", stored),
        ("wrong", stored),
        ("known", None),
        ("x" * 100, stored),
        ("x" * 100, None),
    ):
        assert await hasher.verify(password, given) is (password == "known" and given is not None)
    assert len(verified) == 5, "one comparison each"
    assert len({value.split("$")[2] for value in verified}) == 1, "of the same cost"


ONE_WAY, ANOTHER_WAY = "Ame\u0301lie-\ufb01nds-7-bo\u0308ats", "Am\u00e9lie-finds-7-b\u00f6ats"


@pytest.mark.parametrize(("kept", "given"), [(ONE_WAY, ANOTHER_WAY), (ANOTHER_WAY, ONE_WAY)])
async def test_one_password_is_the_same_from_every_keyboard(hasher: PasswordHasher, kept: str, given: str) -> None:
    assert await hasher.verify(given, await hasher.hash(kept)) is True
    assert await hasher.verify(given.replace("7", "8"), await hasher.hash(kept)) is False


async def test_hash_that_was_made_before_passwords_were_compared_in_nfkc_is_good(hasher: PasswordHasher) -> None:
    stored = CryptContext(schemes=["bcrypt"], bcrypt__rounds=4).hash("Am\u00e9lie")
    assert await hasher.verify("Am\u00e9lie", stored) is True
    assert await hasher.verify("Ame\u0301lie", stored) is True


async def test_limit_of_bytes_holds_for_what_is_hashed(hasher: PasswordHasher) -> None:
    assert await hasher.verify("e\u0301" * 36, await hasher.hash("\u00e9" * 36)) is True
    with pytest.raises(ValueError, match="72 bytes"):
        await hasher.hash("\ufdfa" * 4)  # one character, eighteen in NFKC


async def test_surrogates_are_wrong_not_fatal(hasher: PasswordHasher) -> None:
    assert await hasher.verify("\ud800", await hasher.hash("x")) is False

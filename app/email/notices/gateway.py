"""The gateway to SNS fetches its signing certificates, and confirms our subscription."""

from __future__ import annotations

import asyncio

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from app.core.clock import utcnow
from app.core.errors import ServiceUnavailable
from app.core.gateways import Gateway
from app.core.logging import get_logger
from app.email.notices.sns import NotGenuine

_SECONDS = 5
_MOST_CERTIFICATES = 8
_LONGEST_CERTIFICATE = 65_536

_log = get_logger(__name__)


class SnsGateway:
    """Callers have checked the addresses. Redirects are not followed: they could lead anywhere."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport
        self._certificates: dict[str, x509.Certificate] = {}
        self._fetching = asyncio.Lock()

    async def signing_key(self, url: str) -> RSAPublicKey:
        """The public key of the certificate at that address, which is cached. Raises ServiceUnavailable, NotGenuine."""
        async with self._fetching:  # a burst of notices fetches it once
            certificate = self._certificates.get(url)
            if certificate is None:
                certificate = _read_certificate(await self._get(url))
                if len(self._certificates) >= _MOST_CERTIFICATES:
                    self._certificates.clear()
                self._certificates[url] = certificate
        if not certificate.not_valid_before_utc <= utcnow() <= certificate.not_valid_after_utc:
            self._certificates.pop(url, None)
            raise NotGenuine("the certificate is not valid now")
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            raise NotGenuine("the certificate's key is not RSA")
        return key

    async def confirm(self, url: str) -> None:
        """Confirm our subscription to the topic. Raises ServiceUnavailable."""
        await self._get(url)
        _log.info("subscription confirmed")

    async def _get(self, url: str) -> bytes:
        try:
            async with httpx.AsyncClient(timeout=_SECONDS, transport=self._transport, trust_env=False) as client:
                answer = await client.get(url)
                answer.raise_for_status()
        except httpx.HTTPError as error:
            _log.warning("sns not reached", exc_info=error)
            raise ServiceUnavailable("The notice cannot be checked now; send it again.") from None
        return answer.content


def _read_certificate(pem: bytes) -> x509.Certificate:
    if len(pem) > _LONGEST_CERTIFICATE:
        raise NotGenuine("no certificate there")
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise NotGenuine("no certificate there") from None


SNS: Gateway[SnsGateway] = Gateway("sns", lambda _: SnsGateway())
"""A process has one such gateway, because it caches the certificates."""

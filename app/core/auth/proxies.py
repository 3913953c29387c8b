"""The peers that are trusted to name the client they forward for (X-Forwarded-For), and a check of that setting.

uvicorn reads the header of trusted peers only (--forwarded-allow-ips). This module checks the setting and its effect.
"""

from __future__ import annotations

import ipaddress
import time

from app.core.logging import get_logger

LOG_KEYS = ("trusted_proxies",)
SEEN_SECONDS = 3600.0
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_log = get_logger(__name__)


def read_networks(setting: str) -> tuple[Network, ...]:
    """The addresses and networks of FORWARDED_ALLOW_IPS. Raises ValueError for anything else.

    `*` is refused, because every client could then pretend to have any address.
    """
    return tuple(ipaddress.ip_network(part.strip()) for part in setting.split(","))


class TrustedProxies:
    """Notices a forwarding peer that is not trusted. All clients behind such a peer count as one address."""

    def __init__(self, setting: str) -> None:
        self._networks = read_networks(setting)
        self._seen_at = float("-inf")
        self._named = [str(network) for network in self._networks]

    def announce(self) -> None:
        """Logs the trusted peers at the start."""
        _log.info("forwarded addresses are believed of these peers only", trusted_proxies=self._named)

    def notice(self, client: str, forwarded: str | None) -> None:
        """`client` is the address that uvicorn gives; `forwarded` the X-Forwarded-For of the same request.

        uvicorn replaces the address of a trusted peer by the last untrusted one in the header. If `client` is another
        address, the peer was not trusted.
        """
        if not forwarded or client == self._client_of(forwarded):
            return
        if not self.sees_untrusted:
            _log.warning("a peer that is not trusted forwards: see FORWARDED_ALLOW_IPS", trusted_proxies=self._named)
        self._seen_at = time.monotonic()

    @property
    def sees_untrusted(self) -> bool:
        """True if such a peer was seen within the last hour."""
        return time.monotonic() - self._seen_at < SEEN_SECONDS

    def _client_of(self, forwarded: str) -> str:
        hosts = [_without_port(part.strip()) for part in forwarded.split(",")]
        return next((host for host in reversed(hosts) if not self._trusts(host)), hosts[0])

    def _trusts(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def _without_port(host: str) -> str:
    """`192.0.2.1:4711` and `[2001:db8::1]:4711` without the port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host

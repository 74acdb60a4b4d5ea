"""Which addresses a connection that speaks HTTP may reach: a pure decision about one address at a time.

Metadata addresses of clouds never, in whatever spelling; what is public always; private networks where ALLOW_NETWORKS
names them, and everywhere in development. It resolves no name and connects to nothing.
Source: IANA's registries of special-purpose addresses (RFC 6890 and successors); NAT64, RFC 6052; 6to4, RFC 3056;
Teredo, RFC 4380; ISATAP, RFC 5214.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from worker.errors import Permanent
from worker.settings import app_env

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Names under which clouds serve metadata and credentials; their addresses are refused too.
METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)
# Link-local as a whole (AWS, Google, Azure, ECS, EKS), and the addresses that lie elsewhere: AWS over IPv6, Google over
# IPv6, Alibaba, Oracle, Azure's wire server.
_METADATA = tuple(
    map(
        ip_network,
        (
            *("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "fd20:ce::/32", "100.100.100.200/32", "192.0.0.192/32"),
            "168.63.129.16/32",
        ),
    )
)
# No address of anybody: this network, multicast, reserved and broadcast.
_NOBODY = tuple(map(ip_network, ("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::/128", "ff00::/8")))
_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            *("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24"),
            *("192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24"),
            *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
            *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
        ),
    )
)
_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")


class RefusedAddress(Permanent):
    """An address that this connection may not reach."""


@dataclass(frozen=True, kw_only=True)
class Networks:
    """`everything`: private networks too, as in development. Metadata addresses are never among them."""

    allowed: tuple[Network, ...] = ()
    everything: bool = False

    def check(self, address: str, name: str) -> None:
        """Raise RefusedAddress unless `address`, to which `name` resolves, may be reached."""
        plain = ip_address(address.partition("%")[0])
        where = str(plain) if name == str(plain) else f"{name} ({plain})"
        faces = [plain, *_within(plain)]
        for face in faces:
            if _in(face, _METADATA):
                raise RefusedAddress(f"{where} is an address of cloud metadata, which is never reached")
            if _in(face, _NOBODY):
                raise RefusedAddress(f"{where} is no address of a server")
        if self.everything:
            return
        for face in faces:
            if not _is_public(face, own=face is plain) and not _in(face, self.allowed):
                raise RefusedAddress(
                    f"{where} is in a private network, which is reached only where ALLOW_NETWORKS names it: "
                    f"ALLOW_NETWORKS={face}/{face.max_prefixlen}"
                )


def networks(env: Mapping[str, str]) -> Networks:
    """As APP_ENV and ALLOW_NETWORKS say: in development all unless some are named. Raises ValueError for none."""
    allowed = parsed(env.get("ALLOW_NETWORKS", ""))
    return Networks(allowed=allowed, everything=app_env(env).lower() != "production" and not allowed)


def parsed(text: str) -> tuple[Network, ...]:
    """The networks of a text, between commas or blanks. Raises ValueError with the one that is none."""
    found = []
    for part in text.replace(",", " ").split():
        try:
            found.append(ip_network(part, strict=False))
        except ValueError:
            raise ValueError(part) from None
    return tuple(found)


def _within(address: Address) -> Iterator[Address]:
    """The addresses that this one stands for: a gateway, a tunnel or the kernel itself would go on to them."""
    if isinstance(address, IPv4Address):
        return
    number = int(address)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    elif number >> 32 == 0 and number > 1:  # IPv4-compatible, long deprecated
        yield IPv4Address(number)
    if address in _NAT64 or number >> 80 == 0x0064_FF9B_0001:
        yield IPv4Address(number & 0xFFFF_FFFF)
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if (number >> 32) & 0xFEFF_FFFF == 0x5EFE:  # ISATAP
        yield IPv4Address(number & 0xFFFF_FFFF)


def _is_public(address: Address, *, own: bool) -> bool:
    if _in(address, _NOT_PUBLIC) or _in(address, _METADATA) or _in(address, _NOBODY):
        return False
    if isinstance(address, IPv4Address):
        return True
    # A mapped address is as public as the one in it, which is looked at by itself.
    return address in _GLOBAL_UNICAST or (own and address.ipv4_mapped is not None)


def _in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)

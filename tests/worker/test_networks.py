"""Which addresses may be reached: metadata never, in no spelling; private ones only where that is said."""

from __future__ import annotations

import pytest

from worker.networks import Networks, RefusedAddress, networks, parsed

PRODUCTION = networks({"APP_ENV": "production"})
DEVELOPMENT = networks({})


def may(policy: Networks, address: str) -> bool:
    try:
        policy.check(address, "name.example")
    except RefusedAddress:
        return False
    return True


@pytest.mark.parametrize(
    "address",
    [
        *("169.254.169.254", "169.254.170.2", "169.254.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
        *("fd00:ec2::254", "fd20:ce::254", "fe80::a9fe:a9fe", "fe80::1%eth0", "fe80::1%25eth0"),
        *("::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "::169.254.169.254", "64:ff9b::169.254.169.254"),
        *("64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "2606:4700::5efe:169.254.169.254", "::ffff:100.100.100.200"),
        "2001:0:a9fe:a9fe:0:0:0:0",  # Teredo: its server
        "2001:0:102:304:0:0:5601:5601",  # Teredo: its client, inverted
        *("0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1", "ff02::1"),
    ],
)
def test_metadata_and_nobodys_addresses_are_reached_by_nobody(address: str) -> None:
    everything = Networks(allowed=parsed("0.0.0.0/0 ::/0"))
    assert not any(may(policy, address) for policy in (PRODUCTION, DEVELOPMENT, everything))


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.9.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1"),
        *("fc00::1", "fd12::1", "::ffff:10.1.2.3", "::ffff:127.0.0.1", "2002:0a01:0203::1", "64:ff9b::10.1.2.3"),
        *("192.0.2.1", "203.0.113.9", "2001:db8::1", "::7f00:1", "2606:4700::5efe:10.1.2.3"),
    ],
)
def test_private_addresses_are_for_development_or_for_whoever_is_allowed(address: str) -> None:
    assert not may(PRODUCTION, address)
    assert may(DEVELOPMENT, address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_may_be_reached(address: str) -> None:
    assert may(PRODUCTION, address) and may(DEVELOPMENT, address)


def test_allowed_networks_come_besides_the_public_ones() -> None:
    policy = networks({"APP_ENV": "production", "ALLOW_NETWORKS": "10.2.0.0/16, 127.0.0.1 fd12::/16"})
    assert [may(policy, one) for one in ("10.2.3.4", "127.0.0.1", "fd12::9", "::ffff:10.2.3.4", "8.8.8.8")] == [
        True
    ] * 5
    assert not any(may(policy, one) for one in ("10.3.0.1", "127.0.0.2", "192.168.1.1"))
    assert not may(networks({"ALLOW_NETWORKS": "10.2.0.0/16"}), "192.168.1.1")  # in development, once some are named


def test_the_error_says_what_would_allow_it() -> None:
    with pytest.raises(RefusedAddress, match=r"shop.example \(10.1.2.3\) .* ALLOW_NETWORKS=10.1.2.3/32"):
        PRODUCTION.check("10.1.2.3", "shop.example")

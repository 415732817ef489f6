"""Which addresses are public: by our own tables, the same on every Python."""

from __future__ import annotations

import pytest

from kimi_openai.compat.addresses import is_public

NOT_PUBLIC = [
    *(
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.2",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
    ),
    *(
        "192.0.0.1",
        "192.0.0.9",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.88.99.2",
        "198.18.0.1",
        "198.19.255.255",
    ),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("100.100.100.200", "168.63.129.16", "169.254.170.2"),
    *("::", "::1", "::7f00:1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::a00:1", "64:ff9b:1::1"),
    *("100::1", "100:0:0:1::1", "2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:10::1", "2001:1ff::1", "2001:db8::1"),
    *("2002:7f00:1::", "3fff::1", "3fff:fff:ffff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254"),
    *("fe80::1%eth0", "fec0::1", "feff::1", "ff02::1"),
]

PUBLIC = [
    *("8.8.8.8", "1.1.1.1", "93.184.216.34", "168.63.129.15", "168.63.129.17", "172.15.255.255", "172.32.0.1"),
    *("100.63.255.255", "100.128.0.1", "192.0.1.1", "192.88.98.255", "192.88.100.1", "198.17.255.255", "198.20.0.1"),
    *("223.255.255.255", "2606:4700:4700::1111", "2001:200::1", "2001:4860:4860::8888", "2a00::1", "3fff:1000::1"),
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_that_are_not_public(address: str) -> None:
    """Blocks that are not globally reachable, IPv4 inside IPv6, and what clouds keep their metadata at."""
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_that_are_public(address: str) -> None:
    """Ordinary ones, and the neighbours of each block."""
    assert is_public(address)

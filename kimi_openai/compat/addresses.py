"""Which IP addresses are on the public internet, by IANA's registries, for `fetch`.

The tables are data of our own: Python's `is_global` knows the registries as of its release, and older versions take
documentation, benchmarking and relay addresses for public ones. Pure.

Sources: IANA IPv4 Special-Purpose Address Registry and IANA IPv6 Special-Purpose Address Registry (both as of
2025-10-09), IANA IPv4 Multicast Address Space Registry, IANA Internet Protocol Version 6 Address Space.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address

__all__ = ["is_public"]

NOT_PUBLIC_IPV4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # "this network", RFC 791
        "10.0.0.0/8",  # private, RFC 1918
        "100.64.0.0/10",  # shared address space, RFC 6598; in it Alibaba's metadata, 100.100.100.200
        "127.0.0.0/8",  # loopback, RFC 1122
        "169.254.0.0/16",  # link-local, RFC 3927; in it the metadata of most clouds
        "172.16.0.0/12",  # private, RFC 1918
        "192.0.0.0/24",  # protocol assignments, RFC 6890; in it Oracle's metadata, 192.0.0.192
        "192.0.2.0/24",  # documentation, RFC 5737
        "192.88.99.0/24",  # 6to4 and 6a44 relays, RFC 7526, RFC 6751
        "192.168.0.0/16",  # private, RFC 1918
        "198.18.0.0/15",  # benchmarking, RFC 2544
        "198.51.100.0/24",  # documentation, RFC 5737
        "203.0.113.0/24",  # documentation, RFC 5737
        "224.0.0.0/4",  # multicast, RFC 5771
        "240.0.0.0/4",  # reserved, RFC 1112, and broadcast, RFC 919
        "168.63.129.16/32",  # Azure's platform ("What is IP address 168.63.129.16?"), although it is a public address
    )
)
"""Every block that is not globally reachable (of protocol assignments and relays the whole block, although single
addresses in it are), multicast, and what a cloud reserves for itself."""

GLOBAL_UNICAST_IPV6 = IPv6Network("2000::/3")
"""The only IPv6 space from which IANA assigns public addresses. Outside it are, for example, loopback, `::ffff:0:0/96`
and `64:ff9b::/96` (IPv4 inside IPv6), `100::/64`, `5f00::/16`, `fc00::/7` (AWS's and Google's metadata), `fe80::/10`,
`fec0::/10` and multicast."""

NOT_PUBLIC_IPV6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments, RFC 2928: Teredo, benchmarking, relays, identifiers
        "2001:db8::/32",  # documentation, RFC 3849
        "2002::/16",  # 6to4, RFC 3056: a gateway forwards it to an IPv4 address
        "3fff::/20",  # documentation, RFC 9637
    )
)
"""The blocks in `GLOBAL_UNICAST_IPV6` that are not public."""


def is_public(address: str) -> bool:
    """Whether an address is on the public internet. An IPv6 address with an IPv4 address inside counts as not public.

    >>> [is_public(a) for a in ("8.8.8.8", "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::7f00:1")]
    [True, False, False, False, False]
    """
    parsed = ip_address(address.partition("%")[0])
    if parsed.version == 4:
        return not any(parsed in block for block in NOT_PUBLIC_IPV4)
    return parsed in GLOBAL_UNICAST_IPV6 and not any(parsed in block for block in NOT_PUBLIC_IPV6)

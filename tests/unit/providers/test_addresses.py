import pytest

from darkroom.errors import Invalid, Transient
from darkroom.providers import addresses

PUBLIC = "93.184.216.34"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:53aa:64c:0:fbff:80ff:fffe",
        "2001:0:53aa:64c:0:fbff:f7f7:f7f7",
        "2002:808:808::1",
        "64:ff9b:1::808:808",
        "::7f00:1",
        "::a00:1",
        "2a00::5efe:808:808",
        "2a00::200:5efe:808:808",
        "fec0::1",
        "2001:db8::1",
        "3fff::1",
        "100::1",
        "5f00::1",
        "4000::1",
        "2600::1%eth0",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.1",
        "100.127.255.255",
        "0.1.2.3",
    ],
)
def test_addresses_of_this_machine_and_its_neighbours_are_not_public(address: str) -> None:
    assert not addresses.is_public(address)


@pytest.mark.parametrize(
    "address", [PUBLIC, "8.8.8.8", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_of_the_open_internet_are_public(address: str) -> None:
    assert addresses.is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org/hook",
        "ftp://example.org/",
        "file:///etc/passwd",
        "https://",
        "https://user:word@example.org/",
        "https://user@example.org/",
        "https://example.org/#part",
        "https://example.org:99999/",
        "https://example.org:x/",
        "https://[::1/",
        "https://example.org/a b",
        "https://example.org/ñ",
        "https://example.org/\r\nHost: other",
        f"https://example.org/{'x' * 2000}",
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        addresses.parse(url)
    assert caught.value.field == "url"


def test_an_address_is_taken_apart() -> None:
    found = addresses.parse(" https://example.org:8443/hook?token=a ")
    assert (found.host, found.port, found.secure) == ("example.org", 8443, True)
    assert found.target == "/hook?token=a"
    assert found.origin == "https://example.org:8443"


def test_an_address_without_port_and_path_has_the_usual_ones() -> None:
    plain, secure = addresses.parse("http://example.org"), addresses.parse("https://[2001:db8::1]")
    assert (plain.port, plain.target) == (80, "/")
    assert (secure.port, secure.host) == (443, "2001:db8::1")


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    endpoint = addresses.parse("https://example.org/")
    with pytest.raises(Invalid, match="not a public one"):
        addresses.checked(endpoint, private=False, look=lambda *_: [PUBLIC, "10.0.0.1"])


def test_private_addresses_pass_where_they_are_allowed() -> None:
    endpoint = addresses.parse("https://example.org/")
    assert addresses.checked(endpoint, private=True, look=lambda *_: ["10.0.0.1"]) == ["10.0.0.1"]


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "localhost"])
def test_other_spellings_of_this_machine_are_seen_through(host: str) -> None:
    endpoint = addresses.parse(f"http://{host}/")
    with pytest.raises(Invalid, match="not a public one"):
        addresses.checked(endpoint, private=False)


def test_a_host_that_is_nowhere_may_be_found_later() -> None:
    with pytest.raises(Transient, match=r"nowhere\.invalid cannot be found"):
        addresses.look_up("nowhere.invalid", 80)

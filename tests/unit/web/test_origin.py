import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from darkroom.web.origin import why_not_local


def call(path: str = "/api/x", method: str = "POST", remote: str = "127.0.0.1", **headers: str):
    builder = EnvironBuilder(
        path=path,
        method=method,
        base_url=f"http://{headers.pop('Host', '127.0.0.1:5000')}",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        environ_overrides={"REMOTE_ADDR": remote},
    )
    return Request(builder.get_environ())


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "localhost", "LOCALHOST:80", "[::1]:5000"])
def test_loopback_host_is_local(host: str) -> None:
    assert why_not_local(call(Host=host)) is None


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "10.0.0.1:5000"]
)
def test_rebound_name_is_not_local(host: str) -> None:
    assert why_not_local(call(Host=host)) is not None


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1:3000", "https://127.0.0.1:5000", ""],
)
def test_foreign_origin_is_not_local(origin: str) -> None:
    assert why_not_local(call(Origin=origin)) is not None


def test_own_origin_is_local() -> None:
    assert why_not_local(call(Origin="http://127.0.0.1:5000", Sec_Fetch_Site="same-origin")) is None


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_page_of_another_site_is_not_local(site: str) -> None:
    assert why_not_local(call(Sec_Fetch_Site=site)) is not None
    assert why_not_local(call(method="GET", Sec_Fetch_Site=site)) is not None


def test_link_followed_from_another_site_to_a_page_is_local() -> None:
    visit = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert why_not_local(call("/runs", "GET", Sec_Fetch_Dest="document", **visit)) is None
    assert why_not_local(call("/runs", "GET", Sec_Fetch_Dest="iframe", **visit)) is not None
    assert why_not_local(call("/runs", "POST", Sec_Fetch_Dest="document", **visit)) is not None
    assert why_not_local(call("/api/x", "GET", Sec_Fetch_Dest="document", **visit)) is not None


def test_call_through_a_proxy_is_not_local() -> None:
    assert why_not_local(call(X_Forwarded_For="192.0.2.1")) is not None


def test_call_from_another_machine_is_not_local() -> None:
    assert why_not_local(call(remote="192.0.2.1")) is not None

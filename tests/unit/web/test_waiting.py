import pytest

from darkroom.web.waiting import preferred_wait


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], None),
        (["wait=10"], 10),
        (["respond-async, wait=10"], 10),
        (["respond-async", "Wait = 10"], 10),
        (['wait="10"'], 10),
        (["wait=10; foo=bar"], 10),
        (["wait=10, wait=20"], 10),
        (["wait=soon, wait=20"], 20),
        (["wait=0"], 0),
        (["wait=-1"], None),
        (["wait=1.5"], None),
        (["wait"], None),
        (["awaiting=10"], None),
        (["return=minimal"], None),
        ([f"wait={'9' * 5000}"], 999_999_999),
    ],
)
def test_wait_is_read_as_the_rfc_has_it(headers: list[str], seconds: int | None) -> None:
    assert preferred_wait(headers) == seconds

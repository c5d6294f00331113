"""Reading job filters: from a query string, from flags, from JSON, from a search box."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.console.filters import STATES, JobFilter
from darkroom.console.listing import as_query, from_query, search_words
from darkroom.errors import Invalid

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
RUN = "7c4d8b1e-0000-4000-8000-000000000001"


def parse(*pairs: tuple[str, str]) -> JobFilter:
    return JobFilter.parse(pairs, NOW)


def test_no_condition_fits_everything() -> None:
    assert parse().is_empty
    assert parse(("state", ""), ("text", "  ")).is_empty


def test_every_field_is_read() -> None:
    found = parse(
        ("state", "failed"),
        ("lane", "io"),
        ("task", "counting.detect"),
        ("run", RUN),
        ("owner", "Ana@Example.org"),
        ("error", "Transient"),
        ("args.photo_id", "12"),
        ("text", "mesa"),
        ("id", "5"),
    )
    assert found == JobFilter(
        state=("failed",),
        lane="io",
        task="counting.detect",
        run=UUID(RUN),
        owner="ana@example.org",
        error="Transient",
        args=(("photo_id", "12"),),
        text="mesa",
        id=(5,),
    )


def test_several_states_and_ids_are_any_of_them() -> None:
    found = parse(("state", "failed, cancelled"), ("id", "3"), ("id", "4,5"))
    assert found.state == ("failed", "cancelled") and found.id == (3, 4, 5)


@pytest.mark.parametrize(
    "pair",
    [
        ("args.photo.id", "12"),
        ("args", "photo.id:12"),
        ("args", "args.photo.id:12"),
        ("text", "args.photo.id:12"),
    ],
)
def test_an_argument_is_named_by_its_path(pair: tuple[str, str]) -> None:
    assert parse(pair) == JobFilter(args=(("photo.id", "12"),))


def test_the_search_box_holds_conditions_and_words() -> None:
    found = parse(("text", 'sky state:failed lane:io args.item:"item 3" blue'))
    assert found == JobFilter(
        state=("failed",), lane="io", args=(("item", "item 3"),), text="sky blue"
    )


def test_words_with_a_colon_that_name_no_field_are_words() -> None:
    assert parse(("text", "http://x note:this")).text == "http://x note:this"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("30 m", NOW - timedelta(minutes=30)),
        ("1w", NOW - timedelta(weeks=1)),
        ("2026-04-01", datetime(2026, 4, 1, tzinfo=UTC)),
        ("2026-04-01T12:00+02:00", datetime(2026, 4, 1, 10, tzinfo=UTC)),
    ],
)
def test_times_are_iso_or_an_age(text: str, moment: datetime) -> None:
    assert parse(("created_after", text)).created_after == moment


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stat", "failed"),
        ("state", "broken"),
        ("run", "12"),
        ("owner", "ana"),
        ("owner", "99999999999"),
        ("id", "x"),
        ("id", "-1"),
        ("id", "9" * 30),
        ("created_after", "yesterday"),
        ("finished_before", "999999w"),
        ("args", "photo_id"),
        ("args", ":12"),
        ("args", "photo..id:12"),
        ("text", "state:odd"),
        ("task", "a\x00b"),
        ("text", "x" * 201),
    ],
)
def test_a_bad_condition_names_its_field(name: str, value: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse((name, value))
    assert caught.value.field == ("state" if value.startswith("state:") else name)


def test_a_condition_given_twice_differently_is_refused() -> None:
    assert parse(("lane", "io"), ("lane", "io")).lane == "io"
    with pytest.raises(Invalid, match="only once"):
        parse(("lane", "io"), ("text", "lane:cpu"))


def test_too_many_ids_are_refused() -> None:
    with pytest.raises(Invalid):
        parse(*(("id", str(number)) for number in range(1001)))


def test_json_is_read_with_lists_numbers_and_paths() -> None:
    found = JobFilter.from_json(
        {
            "state": ["failed"],
            "id": [3, 4],
            "owner": 7,
            "args": {"photo_id": 12, "dry": True},
            "lane": None,
        }
    )
    assert found == JobFilter(
        state=("failed",), id=(3, 4), owner="7", args=(("photo_id", "12"), ("dry", "true"))
    )


@pytest.mark.parametrize("body", [{"state": {"x": 1}}, {"odd": 1}, {"args": {"a": [1]}}])
def test_bad_json_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        JobFilter.from_json(body)


def test_the_search_box_shows_what_it_was_given() -> None:
    found = parse(("text", 'sky args.item:"item 3" args.id:4'))
    assert search_words(found) == 'sky args.item:"item 3" args.id:4'


words = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters='":,'),
    min_size=1,
    max_size=20,
)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
filters = st.builds(
    JobFilter,
    state=st.lists(st.sampled_from(STATES), unique=True).map(tuple),
    lane=st.none() | words,
    task=st.none() | words,
    run=st.none() | st.uuids(),
    owner=st.none() | st.integers(0, 2**31 - 1).map(str),
    error=st.none() | words,
    args=st.dictionaries(
        st.from_regex(r"[a-z]{1,5}(\.[a-z0-9]{1,5}){0,2}", fullmatch=True), words, max_size=3
    ).map(lambda found: tuple(found.items())),
    created_after=st.none() | moments,
    finished_before=st.none() | moments,
    text=st.none() | words,
    id=st.lists(st.integers(0, 2**63 - 1), unique=True, max_size=5).map(tuple),
)


@given(filters)
def test_a_filter_survives_a_query_string_and_json(wanted: JobFilter) -> None:
    assert from_query(as_query(wanted)) == wanted
    assert JobFilter.from_json(wanted.as_json()) == wanted

"""What is kept of what an attempt logs."""

import logging
import threading

import pytest

from darkroom.queue import logs
from darkroom.queue.logs import LINES, AttemptLog
from darkroom.queue.said import LONGEST

OURS = logging.getLogger("jobs.of_a_test")


@pytest.fixture
def log() -> AttemptLog:
    logs.listen()
    return AttemptLog()


def test_what_is_not_logged_inside_the_block_is_not_kept(log: AttemptLog) -> None:
    OURS.warning("before")
    with log.listening():
        OURS.warning("inside, %d", 1)
        OURS.debug("too quiet for the worker's level")
    OURS.warning("after")
    kept = log.text()
    assert kept is not None and kept.endswith(" WARNING jobs.of_a_test: inside, 1")
    assert len(kept.splitlines()) == 1


def test_a_silent_attempt_has_no_log(log: AttemptLog) -> None:
    with log.listening():
        pass
    assert log.text() is None


def test_libraries_are_not_listened_to(log: AttemptLog) -> None:
    with log.listening():
        logging.getLogger("urllib3").warning("retrying /v1?key=abc")
    assert log.text() is None


def test_each_thread_has_a_log_of_its_own(log: AttemptLog) -> None:
    other = AttemptLog()

    def work() -> None:
        with other.listening():
            OURS.warning("there")

    with log.listening():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        OURS.warning("here")
    assert "here" in str(log.text()) and "there" not in str(log.text())
    assert "there" in str(other.text())


def test_listening_twice_notes_a_line_once(log: AttemptLog) -> None:
    logs.listen()
    with log.listening():
        OURS.warning("once")
    assert str(log.text()).count("once") == 1


def test_the_last_lines_are_kept_and_those_before_counted(log: AttemptLog) -> None:
    for number in range(LINES + 50):
        log.add(f"line {number}")
    kept = str(log.text()).splitlines()
    assert kept[0] == "(50 earlier lines are not kept)"
    assert (kept[1], kept[-1], len(kept)) == ("line 50", f"line {LINES + 49}", LINES + 1)


def test_long_lines_leave_room_for_fewer(log: AttemptLog) -> None:
    for number in range(LINES):
        log.add(f"{number} " + "x" * 5000)
    kept = str(log.text())
    assert LONGEST / 2 < len(kept) <= LONGEST
    assert kept.splitlines()[-1].startswith(f"{LINES - 1} x")
    assert "earlier lines are not kept" in kept.splitlines()[0]


def test_an_error_is_told_in_a_line(log: AttemptLog) -> None:
    with log.listening():
        try:
            raise OSError("the disk is full\n[SQL: SELECT 1]")
        except OSError:
            OURS.exception("not written")
    kept = str(log.text())
    assert kept.endswith("not written (OSError: the disk is full)")


@pytest.mark.parametrize(
    "said",
    [
        "GET https://service/v1/models?alt=json&key=hidden",
        "at postgresql://darkroom:hidden@host/db",
        "at https://hidden@host/",
        "Authorization: Bearer hidden.hidden-hidden",
        "headers {'x-api-key': 'hidden', 'accept': 'text/plain'}",
        "password=hidden user=ana",
        '{"token": "hidden"}',
        "https://bucket/photo.jpg?X-Amz-Signature=hidden&X-Amz-Date=1",
    ],
)
def test_what_looks_like_a_secret_is_blotted_out(log: AttemptLog, said: str) -> None:
    log.add(said)
    assert "hidden" not in str(log.text()) and "…" in str(log.text())


def test_other_words_are_left_alone(log: AttemptLog) -> None:
    said = "basic facts: 12 tokens, kept at https://host/a/b, ana@example.org asked"
    log.add(said)
    assert log.text() == said


def test_a_log_can_be_stored_whatever_was_said(log: AttemptLog) -> None:
    log.add("a\0b\ud800")
    assert log.text() == "a\ufffdb?"

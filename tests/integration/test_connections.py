"""Connections through a network that falls silent."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text
from sqlalchemy.engine import make_url

from darkroom.db.connections import conninfo
from darkroom.db.sessions import Database
from tests.chaos.proxy import Proxy, proxying

PATIENCE = 120
IMPATIENT = "tcp_user_timeout=500"


@pytest.fixture
def proxy(database_url: str) -> Iterator[Proxy]:
    with proxying(make_url(database_url).port) as between:
        yield between


@pytest.fixture
def behind(database_url: str, proxy: Proxy) -> Iterator[Database]:
    """The database behind the proxy, for somebody impatient."""
    url = make_url(database_url).set(host="127.0.0.1", port=proxy.port)
    database = Database(f"{url.render_as_string(hide_password=False)}?{IMPATIENT}")
    yield database
    database.close()


def test_an_answer_that_got_lost_is_not_waited_for_for_ever(behind: Database, proxy: Proxy):
    with behind.connect() as connection, ThreadPoolExecutor(1) as pool:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        proxy.stall()
        with pytest.raises(psycopg.OperationalError):
            pool.submit(connection.execute, "SELECT 2").result(PATIENCE)


def test_a_session_whose_connection_fell_silent_gets_another(behind: Database, proxy: Proxy):
    with behind.session() as session:
        session.execute(text("SELECT 1"))
    proxy.stall()
    with behind.session() as session:
        assert session.scalar(text("SELECT 2")) == 2


def test_a_long_statement_is_left_alone(behind: Database):
    with behind.session() as session:
        # Three times as long as silence is borne.
        assert session.scalar(text("SELECT 1 FROM pg_sleep(4)")) == 1


def test_whoever_waits_for_notifications_is_left_alone(behind: Database):
    with behind.connect() as listener, behind.connect() as speaker:
        listener.execute("LISTEN news")
        quiet = threading.Timer(4, speaker.execute, ["NOTIFY news"])
        quiet.start()
        heard = next(listener.notifies(timeout=PATIENCE))
        assert heard.channel == "news"


def test_what_the_url_says_of_a_connection_counts():
    given = conninfo_to_dict(
        conninfo("postgresql+psycopg://ana@db/x?keepalives_idle=7&options=-c%20work_mem%3D8MB")
    )
    assert (given["host"], given["user"], given["keepalives_idle"]) == ("db", "ana", "7")
    assert given["tcp_user_timeout"] == "30000"
    assert given["options"] == "-c idle_in_transaction_session_timeout=30s -c work_mem=8MB"

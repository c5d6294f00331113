"""Alerts on their way out, to a Slack webhook and a mail server on loopback."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_string
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from darkroom.db.sessions import Database
from darkroom.errors import Permanent, Transient
from darkroom.queue import settle
from darkroom.queue.gates import breaker
from darkroom.settings import AlertSettings, Settings
from jobs import notifying
from tests.engine.floor import Floor

SAID = {"subject": "Breaker gemini edit opened", "text": "boom <&> bang"}


@dataclass
class Heard:
    """What a server was sent, and how it answers."""

    address: tuple[str, int] = ("", 0)
    got: list[str] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    refuse_recipient: str = ""


@contextmanager
def serving(server: Any, heard: Heard) -> Iterator[Heard]:
    heard.address = server.server_address
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def slack() -> Iterator[Heard]:
    heard = Heard()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.got.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(heard.status)
            for name, value in heard.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"no_service" if heard.status >= 400 else b"ok")

        def log_message(self, *args: object) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Hook), heard):
        yield heard


@pytest.fixture
def mail() -> Iterator[Heard]:
    heard = Heard()

    class Session(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self.say("220 ready")
            while line := self.rfile.readline().decode().strip():
                verb = line.split()[0].upper()
                if verb == "DATA":
                    self.say("354 go on")
                    lines = iter(lambda: self.rfile.readline().decode(), ".\r\n")
                    heard.got.append("".join(lines).replace("\r\n", "\n"))
                if verb == "RCPT" and heard.refuse_recipient:
                    self.say(heard.refuse_recipient)
                else:
                    self.say("221 bye" if verb == "QUIT" else "250 ok")
                if verb == "QUIT":
                    return

    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session), heard):
        yield heard


@pytest.fixture
def floor(database: Database, settings: Settings) -> Floor:
    return Floor(database, settings)


def told(floor: Floor, **alerts: Any) -> Floor:
    return Floor(floor.database, replace(floor.settings, alerts=AlertSettings(**alerts)))


def by_slack(floor: Floor, slack: Heard) -> Floor:
    host, port = slack.address
    return told(floor, slack_webhook_url=f"http://{host}:{port}/services/secret")


def by_mail(floor: Floor, mail: Heard) -> Floor:
    host, port = mail.address
    to = ("ops@example.org", "ana@example.org")
    return told(
        floor, email_to=to, smtp_host=host, smtp_port=port, smtp_security="none", timeout_seconds=5
    )


def alert(floor: Floor) -> dict[str, Any]:
    """Run the step `notifying.alert` as a worker does; its result."""
    task = floor.new(floor.owner())
    settle.succeed(floor.database, task.lease, notifying.alert(task, **SAID))
    result: dict[str, Any] = floor.one(
        "SELECT result FROM steps WHERE job_id = :job", job=task.lease.job_id
    )
    return result


def enqueued(floor: Floor) -> list[str]:
    return [
        found.name
        for found in floor.ask("SELECT name FROM steps WHERE name LIKE 'notifying.%' ORDER BY name")
    ]


def test_without_a_channel_it_is_logged_and_its_result_says_so(
    floor: Floor, caplog: pytest.LogCaptureFixture
) -> None:
    result = alert(floor)
    assert result["channels"] == []
    assert "DARKROOM_SLACK_WEBHOOK_URL" in result["note"]
    assert "Breaker gemini edit opened" in caplog.text
    assert enqueued(floor) == []


def test_every_channel_that_is_set_gets_a_step_of_its_own(
    floor: Floor, slack: Heard, mail: Heard
) -> None:
    both = told(
        floor,
        slack_webhook_url="http://127.0.0.1:1/",
        smtp_host="127.0.0.1",
        email_to=("ops@example.org",),
    )
    assert alert(both) == {"channels": ["slack", "email"], "note": ""}
    assert enqueued(both) == ["notifying.email", "notifying.slack"]


def test_slack_is_told_in_its_own_format(floor: Floor, slack: Heard) -> None:
    settled = by_slack(floor, slack)
    notifying.slack(settled.new(floor.owner()), **SAID)
    (body,) = slack.got
    assert json.loads(body) == {"text": "*Breaker gemini edit opened*\nboom &lt;&amp;&gt; bang"}


def test_a_busy_slack_is_tried_again_when_it_asks_to(floor: Floor, slack: Heard) -> None:
    slack.status, slack.headers = 429, {"Retry-After": "30"}
    with pytest.raises(Transient) as raised:
        notifying.slack(by_slack(floor, slack).new(floor.owner()), **SAID)
    assert raised.value.retry_after == timedelta(seconds=30)


def test_a_broken_slack_is_tried_again(floor: Floor, slack: Heard) -> None:
    slack.status = 503
    with pytest.raises(Transient):
        notifying.slack(by_slack(floor, slack).new(floor.owner()), **SAID)


def test_a_webhook_that_is_gone_fails_without_naming_its_secret_address(
    floor: Floor, slack: Heard
) -> None:
    slack.status = 404
    with pytest.raises(Permanent, match="404: no_service") as raised:
        notifying.slack(by_slack(floor, slack).new(floor.owner()), **SAID)
    assert "secret" not in raised.value.message


def test_a_slack_that_is_not_there_is_tried_again(floor: Floor) -> None:
    unreached = told(floor, slack_webhook_url="http://127.0.0.1:1/services/secret")
    with pytest.raises(Transient) as raised:
        notifying.slack(unreached.new(floor.owner()), **SAID)
    assert "secret" not in raised.value.message


def test_mail_goes_to_everybody_and_bears_the_same_id_in_each_try(
    floor: Floor, mail: Heard
) -> None:
    task = by_mail(floor, mail).new(floor.owner())
    notifying.email(task, **SAID)
    notifying.email(task, **SAID)
    first, second = (message_from_string(sent) for sent in mail.got)
    assert first["Subject"] == "[Darkroom] Breaker gemini edit opened"
    assert first["To"] == "ops@example.org, ana@example.org"
    assert first.get_payload().strip() == "boom <&> bang"
    assert first["Message-ID"] == second["Message-ID"]


def test_a_mail_server_that_is_busy_is_tried_again(floor: Floor, mail: Heard) -> None:
    mail.refuse_recipient = "451 greylisted"
    with pytest.raises(Transient, match="451"):
        notifying.email(by_mail(floor, mail).new(floor.owner()), **SAID)


def test_a_mail_server_that_knows_no_recipient_fails_the_step(floor: Floor, mail: Heard) -> None:
    mail.refuse_recipient = "550 no such user"
    with pytest.raises(Permanent, match="550"):
        notifying.email(by_mail(floor, mail).new(floor.owner()), **SAID)


def test_a_mail_server_without_encryption_is_not_given_our_mail(floor: Floor, mail: Heard) -> None:
    chosen = by_mail(floor, mail)
    strict = replace(chosen.settings.alerts, smtp_security="starttls")
    secure = Floor(floor.database, replace(chosen.settings, alerts=strict))
    with pytest.raises(Permanent, match="DARKROOM_SMTP_SECURITY"):
        notifying.email(secure.new(floor.owner()), **SAID)
    assert mail.got == []


def test_a_breaker_that_opens_enqueues_an_alert_that_the_step_understands(floor: Floor) -> None:
    with floor.database.session() as session:
        breaker.isolate(session, "gemini", "edit", who="Ana", reason="quota")
    (args,) = floor.ask("SELECT args FROM procrastinate_jobs WHERE task_name = 'notifying.alert'")
    assert set(args[0]) == {"subject", "text"}
    assert "quota" in args[0]["text"]

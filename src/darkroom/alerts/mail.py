"""E-mail by SMTP."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate

from darkroom.alerts import Alert
from darkroom.errors import Permanent, Transient
from darkroom.settings import AlertSettings


def send(settings: AlertSettings, host: str, alert: Alert) -> None:
    """Send the alert to everybody in `email_to` by that host. Every try bears the same Message-ID.

    Raises
    ------
    Transient
        When the server cannot be reached or is busy.
    Permanent
        When it refuses the message, the sender, all recipients or our password.
    """
    try:
        with _connected(settings, host) as server:
            server.send_message(_message(settings, alert))
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise _refusal(code, said) from error
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPNotSupportedError as error:
        raise Permanent(f"{error} Look at DARKROOM_SMTP_SECURITY.") from error
    except OSError as error:  # SMTPException is one, too.
        raise Transient(f"The mail server cannot be reached: {error}") from error


def _connected(settings: AlertSettings, host: str) -> smtplib.SMTP:
    port, timeout = settings.smtp_port, settings.timeout_seconds
    if settings.smtp_security == "tls":
        context = ssl.create_default_context()
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=timeout)
    if settings.smtp_security == "starttls":
        server.starttls(context=ssl.create_default_context())
    if settings.smtp_user:
        server.login(settings.smtp_user, settings.smtp_password or "")
    return server


def _message(settings: AlertSettings, alert: Alert) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = f"[Darkroom] {alert.headline}"
    message["From"] = settings.email_from
    message["To"] = ", ".join(settings.email_to)
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{alert.key}@darkroom>"
    message.set_content(alert.text)
    return message


def _refusal(code: int, said: bytes | str) -> Transient | Permanent:
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    message = f"The mail server answered {code}: {words}"
    return Transient(message) if 400 <= code < 500 else Permanent(message)

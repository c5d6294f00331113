"""What can be done with users, sign-in links and API tokens.

Every function works in the caller's transaction. Texts of errors are constants, so that the pages
can translate them.
"""

import re
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from darkroom.accounts import passwords, tokens
from darkroom.accounts.models import ADMIN, MEMBER, ROLES, ApiToken, SignInLink, User
from darkroom.errors import Conflict, Invalid, NotFound

LINK_LIFETIME = timedelta(minutes=30)

# Writing `last_used_at` on every call would turn reads into writes.
USE_RESOLUTION = timedelta(minutes=1)

# Any number will do, as long as all processes take the same.
ADMIN_LOCK = 0x61646D69

_EMAIL = re.compile(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


# Users


def ensure_admin(session: Session) -> User:
    """The first administrator, made when there is none. One and the same for all processes."""
    found = _first_admin(session)
    if found is not None:
        return found
    session.execute(select(func.pg_advisory_xact_lock(ADMIN_LOCK)))
    return _first_admin(session) or _added(session, User(name="local", role=ADMIN))


def create_user(
    session: Session,
    *,
    name: str,
    email: str | None = None,
    role: str = MEMBER,
    password: str | None = None,
) -> User:
    """A new user. Without a password they sign in by link and set one.

    Raises
    ------
    Invalid
        Naming the field at fault: name, email, role or password.
    """
    if role not in ROLES:
        raise Invalid("The role must be admin, member or viewer.", "role")
    user = User(name=_clean_name(name), role=role)
    if email is not None:
        user.email = _free_email(session, email)
    if password is not None:
        user.password_hash = passwords.hashed(passwords.check_new(password))
    return _added(session, user)


def list_users(session: Session) -> list[User]:
    """Every person, oldest first."""
    return list(session.scalars(select(User).where(~User.is_system).order_by(User.id)))


def ml_user(session: Session) -> User:
    """Who counts: the first of the users that are no people."""
    found = select(User).where(User.is_system).order_by(User.id).limit(1)
    return session.scalars(found).one()


def get_user(session: Session, user_id: int) -> User | None:
    """The user by number, or None."""
    return session.get(User, user_id)


def user_by_email(session: Session, email: str) -> User:
    """The user with that address; `NotFound` when there is none."""
    found = _by_email(session, email)
    if found is None:
        raise NotFound("No user has this e-mail address.", "email")
    return found


def user_by_uuid(session: Session, uuid: UUID) -> User:
    """The user with that uuid; `NotFound` when there is none."""
    found = session.scalar(select(User).where(User.uuid == uuid, ~User.is_system))
    if found is None:
        raise NotFound("There is no such user.")
    return found


def set_name(session: Session, user: User, name: str) -> None:
    """Change the name that others see."""
    user.name = _clean_name(name)
    session.flush()


def set_email(session: Session, user: User, email: str) -> None:
    """Change the address to sign in with; `Invalid` when it is none, or another user's."""
    user.email = _free_email(session, email, owner=user)
    _flush_email(session)


def set_locale(session: Session, user: User, locale: str | None) -> None:
    """Set the language of the pages; None follows the browser."""
    user.locale = locale
    session.flush()


def set_password(session: Session, user: User, password: str) -> None:
    """Set the password, and end every older session and unused sign-in link."""
    user.password_hash = passwords.hashed(passwords.check_new(password))
    end_sessions(session, user)


def end_sessions(session: Session, user: User) -> None:
    """Sign the user out everywhere; unused sign-in links end too."""
    user.session_epoch = User.session_epoch + 1
    session.execute(delete(SignInLink).where(_unused(user)))
    session.flush()
    session.refresh(user)


def deactivate(session: Session, user: User) -> None:
    """Shut a user out: sessions, links and tokens stop working. Their runs stay.

    Raises
    ------
    Conflict
        For the last active administrator: nobody could let them in again.
    """
    session.execute(select(func.pg_advisory_xact_lock(ADMIN_LOCK)))
    session.refresh(user)
    if user.is_admin and user.is_active and _active_admins(session) <= 1:
        raise Conflict("The last active administrator cannot be deactivated.", "user")
    user.is_active = False
    end_sessions(session, user)


def reactivate(session: Session, user: User) -> None:
    """Let a user in again."""
    user.is_active = True
    session.flush()


def authenticate(session: Session, email: str, password: str) -> User | None:
    """The active user with that address and password, or None.

    Takes as long for an unknown address as for a wrong password.
    """
    user = _by_email(session, email)
    if not passwords.matches(password, user.password_hash if user else None):
        return None
    if user is None or not user.is_active:
        return None
    if user.password_hash and passwords.outdated(user.password_hash):
        user.password_hash = passwords.hashed(password)
        session.flush()
    return user


# Sign-in links


def make_sign_in_link(session: Session, user: User, now: datetime) -> str:
    """A token that signs the user in once, within half an hour; kept only as a hash."""
    token = tokens.new_link_token()
    session.execute(delete(SignInLink).where(SignInLink.expires_at < now))
    session.add(
        SignInLink(token_hash=tokens.digest(token), user_id=user.id, expires_at=now + LINK_LIFETIME)
    )
    session.flush()
    return token


def user_of_sign_in_link(session: Session, token: str, now: datetime) -> User | None:
    """Whom an unused link would sign in; does not use it up."""
    return session.scalar(
        select(User)
        .join(SignInLink, SignInLink.user_id == User.id)
        .where(_usable(token, now), User.is_active)
    )


def use_sign_in_link(session: Session, token: str, now: datetime) -> User:
    """The link's user; the link is used up.

    Raises
    ------
    Invalid
        When the link was used, has expired, or never was.
    """
    user_id = session.scalar(
        update(SignInLink)
        .where(_usable(token, now))
        .values(used_at=now)
        .returning(SignInLink.user_id)
    )
    user = session.get(User, user_id) if user_id is not None else None
    if user is None or not user.is_active:
        raise Invalid("This sign-in link was already used or has expired.", "token", status=410)
    return user


# API tokens


def create_token(session: Session, user: User, name: str) -> tuple[ApiToken, str]:
    """A new API token: its row, and the token itself, which cannot be had again."""
    token = tokens.new_api_token()
    row = ApiToken(
        user_id=user.id,
        name=_clean_name(name),
        token_hash=tokens.digest(token),
        hint=tokens.hint(token),
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return row, token


def list_tokens(session: Session, user: User) -> list[ApiToken]:
    """The user's tokens that still work, newest first."""
    return list(
        session.scalars(
            select(ApiToken)
            .where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
            .order_by(ApiToken.id.desc())
        )
    )


def revoke_token(session: Session, user: User, token_id: int) -> None:
    """End one of the user's tokens; `NotFound` when it is not theirs or has ended."""
    revoked = session.scalar(
        update(ApiToken)
        .where(ApiToken.id == token_id, ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(ApiToken.id)
    )
    if revoked is None:
        raise NotFound("There is no such token.")


def user_of_token(session: Session, token: str) -> User | None:
    """Whose API token that is, if it works; notes that it was used."""
    user = session.scalar(
        select(User)
        .join(ApiToken, ApiToken.user_id == User.id)
        .where(
            ApiToken.token_hash == tokens.digest(token),
            ApiToken.revoked_at.is_(None),
            User.is_active,
        )
    )
    if user is not None:
        _note_use(session, token)
    return user


def _note_use(session: Session, token: str) -> None:
    session.execute(
        update(ApiToken)
        .where(
            ApiToken.token_hash == tokens.digest(token),
            or_(
                ApiToken.last_used_at.is_(None),
                ApiToken.last_used_at < func.now() - USE_RESOLUTION,
            ),
        )
        .values(last_used_at=func.now())
    )


def _first_admin(session: Session) -> User | None:
    return session.scalar(
        select(User).where(User.role == ADMIN, User.is_active).order_by(User.id).limit(1)
    )


def _active_admins(session: Session) -> int:
    counted = select(func.count()).select_from(User).where(User.role == ADMIN, User.is_active)
    return session.scalar(counted) or 0


def _added(session: Session, user: User) -> User:
    session.add(user)
    _flush_email(session)
    session.refresh(user)
    return user


def _flush_email(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        # Somebody took the address since we looked.
        raise Invalid("This e-mail address belongs to another user.", "email") from error


def _by_email(session: Session, email: str) -> User | None:
    wanted = email.strip().lower()
    if "\x00" in wanted:
        return None
    return session.scalar(select(User).where(User.email == wanted))


def _free_email(session: Session, email: str, owner: User | None = None) -> str:
    clean = email.strip().lower()
    if len(clean) > 254 or not _EMAIL.fullmatch(clean):
        raise Invalid("This is not an e-mail address.", "email")
    found = _by_email(session, clean)
    if found is not None and found is not owner:
        raise Invalid("This e-mail address belongs to another user.", "email")
    return clean


def _clean_name(name: str) -> str:
    clean = _CONTROL.sub(" ", name).strip()
    if not clean:
        raise Invalid("A name is needed.", "name")
    if len(clean) > 100:
        raise Invalid("The name must have at most 100 characters.", "name")
    return clean


def _unused(user: User) -> ColumnElement[bool]:
    return (SignInLink.user_id == user.id) & SignInLink.used_at.is_(None)


def _usable(token: str, now: datetime) -> ColumnElement[bool]:
    return (
        (SignInLink.token_hash == tokens.digest(token))
        & SignInLink.used_at.is_(None)
        & (SignInLink.expires_at > now)
    )

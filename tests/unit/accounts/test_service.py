from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from darkroom.accounts import service as accounts
from darkroom.accounts.models import ApiToken, SignInLink, User
from darkroom.db.sessions import Database
from darkroom.errors import Conflict, Invalid, NotFound

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
PASSWORD = "a short sentence"


@pytest.fixture
def session(database: Database):
    with database.session() as opened:
        yield opened


@pytest.fixture
def ana(session: Session) -> User:
    return accounts.create_user(session, name="Ana", email="ana@example.org", password=PASSWORD)


def test_first_administrator_is_made_once(session: Session) -> None:
    first = accounts.ensure_admin(session)
    assert (first.name, first.role) == ("local", "admin")
    assert accounts.ensure_admin(session) is first


def test_processes_that_race_share_one_administrator(database: Database) -> None:
    def make(_: int) -> int:
        with database.session() as opened:
            return accounts.ensure_admin(opened).id

    with ThreadPoolExecutor(6) as pool:
        made = set(pool.map(make, range(6)))
    assert len(made) == 1
    with database.session() as opened:
        people = select(func.count()).select_from(User).where(~User.is_system)
        assert opened.scalar(people) == 1


def test_email_is_kept_in_lower_case(session: Session) -> None:
    user = accounts.create_user(session, name="Eva", email="  Eva@Example.ORG ")
    assert user.email == "eva@example.org"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"email": "a@b"}, "email"),
        ({"email": "x@" + "y" * 260 + ".org"}, "email"),
        ({"email": "a\x00b@example.org"}, "email"),
        ({"email": "ANA@example.org"}, "email"),
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"role": "owner"}, "role"),
        ({"password": "short"}, "password"),
    ],
)
def test_bad_user_is_refused_by_field(
    session: Session, ana: User, values: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        accounts.create_user(session, **{"name": "Eva", **values})
    assert caught.value.field == field


def test_address_taken_meanwhile_is_refused_by_field(database: Database) -> None:
    with database.session() as first:
        accounts.create_user(first, name="Ana", email="ana@example.org")
        with ThreadPoolExecutor(1) as pool:
            late = pool.submit(_create_ana, database)
            first.commit()
            with pytest.raises(Invalid) as caught:
                late.result()
    assert caught.value.field == "email"


def _create_ana(database: Database) -> None:
    with database.session() as second:
        accounts.create_user(second, name="Other", email="ana@example.org")


def test_own_email_can_be_set_again(session: Session, ana: User) -> None:
    accounts.set_email(session, ana, "ANA@example.org")
    assert ana.email == "ana@example.org"


def test_right_password_signs_in_whatever_the_case_of_the_address(
    session: Session, ana: User
) -> None:
    assert accounts.authenticate(session, "Ana@Example.org", PASSWORD) is ana


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ana@example.org", "wrong password"),
        ("nobody@example.org", PASSWORD),
        ("a\x00@x", PASSWORD),
    ],
)
def test_wrong_credentials_sign_nobody_in(
    session: Session, ana: User, email: str, password: str
) -> None:
    assert accounts.authenticate(session, email, password) is None


def test_user_without_password_cannot_sign_in(session: Session) -> None:
    accounts.create_user(session, name="Eva", email="eva@example.org")
    assert accounts.authenticate(session, "eva@example.org", "") is None


def test_hash_with_old_parameters_is_renewed_on_sign_in(session: Session, ana: User) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    ana.password_hash = old
    assert accounts.authenticate(session, "ana@example.org", PASSWORD) is ana
    assert ana.password_hash != old


def test_new_password_ends_sessions_and_links(session: Session, ana: User) -> None:
    token = accounts.make_sign_in_link(session, ana, NOW)
    epoch = ana.session_epoch
    accounts.set_password(session, ana, "another sentence")
    assert ana.session_epoch == epoch + 1
    assert accounts.user_of_sign_in_link(session, token, NOW) is None


def test_deactivated_user_is_shut_out(session: Session, ana: User) -> None:
    _, token = accounts.create_token(session, ana, "camera")
    accounts.ensure_admin(session)
    accounts.deactivate(session, ana)
    assert accounts.authenticate(session, "ana@example.org", PASSWORD) is None
    assert accounts.user_of_token(session, token) is None


def test_reactivated_user_may_come_back(session: Session, ana: User) -> None:
    accounts.deactivate(session, ana)
    accounts.reactivate(session, ana)
    assert accounts.authenticate(session, "ana@example.org", PASSWORD) is ana


def test_last_administrator_cannot_be_deactivated(session: Session) -> None:
    admin = accounts.ensure_admin(session)
    with pytest.raises(Conflict):
        accounts.deactivate(session, admin)
    other = accounts.create_user(session, name="Eva", role="admin")
    accounts.deactivate(session, admin)
    assert accounts.ensure_admin(session) is other


def test_link_signs_in_once(session: Session, ana: User) -> None:
    token = accounts.make_sign_in_link(session, ana, NOW)
    assert accounts.use_sign_in_link(session, token, NOW) is ana
    with pytest.raises(Invalid) as caught:
        accounts.use_sign_in_link(session, token, NOW)
    assert caught.value.status == 410


def test_looking_at_a_link_does_not_use_it_up(session: Session, ana: User) -> None:
    token = accounts.make_sign_in_link(session, ana, NOW)
    assert accounts.user_of_sign_in_link(session, token, NOW) is ana
    assert accounts.use_sign_in_link(session, token, NOW) is ana


def test_link_ends_after_half_an_hour(session: Session, ana: User) -> None:
    token = accounts.make_sign_in_link(session, ana, NOW)
    with pytest.raises(Invalid):
        accounts.use_sign_in_link(session, token, NOW + timedelta(minutes=30))


def test_link_is_kept_only_as_a_hash(session: Session, ana: User) -> None:
    token = accounts.make_sign_in_link(session, ana, NOW)
    [row] = session.scalars(select(SignInLink))
    assert token.encode() not in row.token_hash


def test_token_names_its_user_and_notes_its_use(session: Session, ana: User) -> None:
    row, token = accounts.create_token(session, ana, "camera")
    assert accounts.user_of_token(session, token) is ana
    session.refresh(row)
    assert row.last_used_at is not None


def test_token_is_kept_only_as_a_hash(session: Session, ana: User) -> None:
    row, token = accounts.create_token(session, ana, "camera")
    kept = session.execute(select(ApiToken.__table__).where(ApiToken.id == row.id)).one()
    assert not any(token in str(value) for value in kept)


def test_unknown_token_names_nobody(session: Session) -> None:
    assert accounts.user_of_token(session, "dk_nothing") is None


def test_revoked_token_names_nobody(session: Session, ana: User) -> None:
    row, token = accounts.create_token(session, ana, "camera")
    accounts.revoke_token(session, ana, row.id)
    assert accounts.user_of_token(session, token) is None
    assert accounts.list_tokens(session, ana) == []


def test_token_of_another_user_cannot_be_revoked(session: Session, ana: User) -> None:
    row, _ = accounts.create_token(session, ana, "camera")
    other = accounts.create_user(session, name="Eva")
    with pytest.raises(NotFound):
        accounts.revoke_token(session, other, row.id)

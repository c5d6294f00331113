from decimal import Decimal

import pytest

from darkroom.errors import Invalid
from darkroom.queue.gates.breaker import rules
from darkroom.settings import Quota, Settings


def test_the_seed_s_limits_and_paces_need_no_setting() -> None:
    gates = Settings.from_env({}).gates
    assert gates.limits == {
        "generate-image": Quota(10, 60),
        "face-swap": Quota(5, 60),
        "live-portrait": Quota(5, 300),
        "magic-prompt": Quota(20, 60),
        "render-video": Quota(3, 300),
        "render-multi-scene": Quota(2, 300),
        "enhance-media": Quota(5, 60),
        "subtitles": Quota(10, 300),
        "login": Quota(20, 60),
    }
    assert gates.paces == {"variants": 1.5, "catalog": 2.0}


def test_what_is_set_comes_on_top_of_it() -> None:
    gates = Settings.from_env(
        {
            "DARKROOM_LIMITS": "/face-swap=1/10, upload=100/3600",
            "DARKROOM_PACES": "gemini=0.5",
            "DARKROOM_MAX_CALLS": "gemini=4",
            "DARKROOM_BUDGET_PER_DAY": "gemini=10.50, laozhang=0",
            "DARKROOM_BUDGET_PER_OWNER": "2",
        }
    ).gates
    assert gates.limits["face-swap"] == Quota(1, 10)
    assert gates.limits["upload"] == Quota(100, 3600)
    assert gates.paces == {"variants": 1.5, "catalog": 2.0, "gemini": 0.5}
    assert gates.max_calls == {"gemini": 4}
    assert gates.budget_per_day == {"gemini": Decimal("10.50"), "laozhang": Decimal(0)}
    assert gates.budget_per_owner == Decimal(2)


def test_a_provider_may_have_a_time_out_of_its_own() -> None:
    breaker = Settings.from_env(
        {"DARKROOM_BREAKER_OPEN_SECONDS_OF": "gemini=5", "DARKROOM_BREAKER_OPEN_SECONDS": "120"}
    ).gates.breaker
    opens = {name: rules(breaker, name)["open_seconds"] for name in ("gemini", "storage", "x")}
    assert opens == {"gemini": 5, "storage": 60, "x": 120}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DARKROOM_LIMITS", "face-swap=5"),
        ("DARKROOM_LIMITS", "face-swap=0/60"),
        ("DARKROOM_LIMITS", "face-swap=5/0"),
        ("DARKROOM_LIMITS", "face-swap=5/inf"),
        ("DARKROOM_PACES", "variants"),
        ("DARKROOM_PACES", "variants=-1"),
        ("DARKROOM_MAX_CALLS", "gemini=0"),
        ("DARKROOM_BUDGET_PER_DAY", "gemini=ten"),
        ("DARKROOM_BUDGET_PER_OWNER", "-1"),
        ("DARKROOM_BREAKER_FAILURES", "0"),
        ("DARKROOM_BREAKER_GROWTH", "nan"),
        ("DARKROOM_TRUSTED_PROXIES", "our-proxy"),
        ("DARKROOM_SMTP_SECURITY", "yes"),
    ],
)
def test_what_cannot_be_read_is_refused_by_the_name_of_its_variable(name: str, value: str) -> None:
    with pytest.raises(Invalid, match=name):
        Settings.from_env({name: value})


def test_secrets_of_the_channels_are_not_shown() -> None:
    settings = Settings.from_env(
        {"DARKROOM_SLACK_WEBHOOK_URL": "https://x/hush", "DARKROOM_SMTP_PASSWORD": "hush"}
    )
    assert "hush" not in repr(settings)

"""Plans of videos: how long what lasts, and what is heard when."""

from darkroom.media.videos import mixing, plan
from darkroom.media.videos.plan import Plan, Scene


def video(*scenes: Scene, audio: float = 0.0) -> Plan:
    return Plan("16:9", scenes, audio)


def test_a_plan_is_read_as_it_was_kept() -> None:
    whole = video(Scene("clip", 0, 30, title="a"), Scene("picture", 0, 60, narration=0), audio=2.5)
    assert plan.read(whole.as_json()) == whole


def test_a_transition_takes_no_time_of_the_video() -> None:
    whole = video(Scene("picture", 0, 60), Scene("picture", 1, 30, transition="fade"))
    assert (whole.frames, whole.starts) == (90, [0, 60])
    assert [whole.overlap(at) for at in (0, 1)] == [plan.OVERLAP, 0]


def test_a_film_has_parts_for_the_transitions_beside_it() -> None:
    fading = Scene("picture", 0, plan.OVERLAP, transition="fade")
    whole = video(Scene("picture", 0, 60), fading, Scene("picture", 1, 30))
    assert whole.parts(0) == {"body": (0, 60), "tail": (60, 75)}
    # It is gone as soon as it is there.
    assert whole.parts(1) == {"head": (0, 15)}
    assert whole.parts(2) == {"body": (0, 30)}


def test_a_clip_is_quieter_while_somebody_speaks_over_it() -> None:
    whole = video(
        Scene("clip", 0, 60, is_heard=True), Scene("clip", 1, 60, is_heard=True, narration=0)
    )
    first, second, narration = mixing.heard(whole)
    assert first.sound.volume == 1 > second.sound.volume
    assert (narration.role, narration.sound.start, narration.sound.seconds) == ("narration", 2, 2)


def test_clips_fade_with_their_pictures() -> None:
    one = Scene("clip", 0, 60, is_heard=True)
    whole = video(one, Scene("clip", 1, 60, is_heard=True, transition="fade"))
    first, second = (each.sound for each in mixing.heard(whole))
    assert (first.seconds, first.fade_out) == (2.5, 0.5)
    assert (second.start, second.fade_in, second.fade_out) == (2, 0.5, 0)


def test_a_sound_that_is_longer_than_the_video_fades_away() -> None:
    [short] = mixing.heard(video(Scene("picture", 0, 90), audio=2))
    [long] = mixing.heard(video(Scene("picture", 0, 90), audio=4))
    assert (short.sound.fade_out, long.sound.fade_out) == (0, 1)
    assert long.sound.seconds == 3


def test_a_sound_fades_no_longer_than_the_video_lasts() -> None:
    [blink] = mixing.heard(video(Scene("picture", 0, 15), audio=4))
    assert blink.sound.fade_out == blink.sound.seconds == 0.5

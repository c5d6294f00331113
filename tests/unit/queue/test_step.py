import pytest

import jobs
from darkroom.counting.service import FIRST_STEP
from darkroom.queue.step import registry, step


def test_a_step_is_named_for_its_module_and_function():
    assert registry["counting.detect"] is jobs.counting.detect
    assert jobs.counting.detect.lane == "gpu"


def test_a_call_carries_what_the_queue_needs():
    call = jobs.counting.detect.call(label="a.jpg", share=0.5, image_id="x")
    assert (call.name, call.lane, call.args) == ("counting.detect", "gpu", {"image_id": "x"})
    assert (call.label, call.share, call.max_attempts) == ("a.jpg", 0.5, 3)


def test_every_step_the_web_process_enqueues_exists():
    assert registry[FIRST_STEP].lane == "io"


def test_two_steps_cannot_bear_one_name():
    with pytest.raises(ValueError, match=r"counting\.detect"):
        step(lane="io", name="counting.detect")(lambda task: None)


def test_an_unknown_lane_is_refused():
    with pytest.raises(ValueError, match="tpu"):
        step(lane="tpu")

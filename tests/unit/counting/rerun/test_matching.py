from darkroom.counting.rerun import matching


def square(x: float, y: float, side: float = 10) -> dict:
    corners = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
    return {"type": "Polygon", "coordinates": [corners]}


def test_containers_at_one_place_are_the_same_whatever_their_order():
    one, other = [square(0, 0), square(20, 0)], [square(20, 1), square(1, 0)]
    assert matching.pairs(one, other) == [(0, 1), (1, 0)]


def test_what_one_count_alone_found_stands_alone():
    assert matching.pairs([square(0, 0)], [square(50, 50)]) == [(0, None), (None, 0)]
    assert matching.pairs([], [square(0, 0)]) == [(None, 0)]


def test_a_container_has_one_partner_the_one_that_agrees_best():
    one, other = [square(0, 0)], [square(3, 0), square(1, 0)]
    assert matching.pairs(one, other) == [(0, 1), (None, 0)]


def test_outlines_that_cross_themselves_are_compared_all_the_same():
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]]}
    assert matching.pairs([bow], [bow]) == [(0, 0)]

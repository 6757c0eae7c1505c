"""Hostile requests: every row of the bank, and the properties that must hold over all of it."""
import random

import pytest

from bank import RequestBank, request_rows
from banks import start_bank_proxy

ROWS = request_rows()
SPLIT_ALL, SPLIT_SOME, BYTEWISE_MAX = 200, 24, 2500
GOOD = b"GET /good HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module")
def bank():
    bank = RequestBank(start_bank_proxy)
    yield bank
    bank.stop()


def rows(condition=lambda row: True):
    return pytest.mark.parametrize("row", [row for row in ROWS if condition(row)], ids=lambda row: row.name)


def bytewise(data):
    return [data[i:i + 1] for i in range(len(data))]


def cut_points(row):
    length = len(row.bytes)
    if length <= SPLIT_ALL:
        return range(1, length)
    return sorted(random.Random(row.id).sample(range(1, length), min(SPLIT_SOME, length - 1)))


@rows()
def test_a_request_gets_its_verdict(bank, row):
    bank.mark()
    assert bank.judge(row, bank.play_row(row)) == []


@rows(lambda row: len(row.bytes) <= BYTEWISE_MAX)
def test_a_request_sent_byte_by_byte_gets_its_verdict(bank, row):
    bank.mark()
    assert bank.judge(row, bank.play_row(row, bytewise(row.bytes))) == []


@rows(lambda row: len(row.bytes) > 1 and "stream" not in row.kinds())
def test_a_request_cut_in_two_anywhere_gets_the_same_verdict(bank, row):
    data = row.bytes
    bank.mark()
    whole = bank.play_row(row).signature
    expected = [(r.method, r.target, r.body) for r in bank.requests()]
    bank.mark()
    points = cut_points(row)
    for point in points:
        signature = bank.play_row(row, [data[:point], data[point:]]).signature
        assert signature == whole, f"cut after {data[:point]!r:.200}"
    seen = [(r.method, r.target, r.body) for r in bank.requests()]
    assert sorted(seen) == sorted(expected * len(points))


# Where the connection is to be closed after the request, what follows is not part of it: such a row begins with a whole one.
@rows(lambda row: row.only("forward") and not any(step[0].flag("close") for step in row.alternatives))
def test_no_beginning_of_a_request_goes_upstream_as_a_whole_request(bank, row):
    bank.mark()
    for point in cut_points(row):
        outcome = bank.play([row.bytes[:point]], 1, half_close=True)
        assert not outcome.silent and all(a.status >= 400 for a in outcome.answers), row.bytes[:point]
    assert bank.requests() == []


@rows()
def test_a_good_request_before_the_row_is_answered_and_the_row_gets_its_verdict(bank, row):
    bank.mark()
    if "stream" in row.kinds():
        pytest.skip("a stream has no answer")
    outcome = bank.play_row(row, [GOOD + row.bytes], before=1)
    assert [a.status for a in outcome.answers[:1]] == [200]
    assert bank.judge(row, outcome, before=1) == []


@rows(lambda row: row.only("refuse"))
def test_nothing_after_a_refused_request_is_answered(bank, row):
    bank.mark()
    outcome = bank.play([row.bytes + GOOD], bank.expected_answers(row) + 1)
    assert bank.judge(row, outcome) == []

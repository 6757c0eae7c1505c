"""Hostile answers from an upstream: every row of the bank, whole, in single bytes, and to a HEAD."""
import pytest

from bank import ResponseBank, response_rows
from banks import start_bank_proxy

ROWS = response_rows()
BYTEWISE_MAX = 2500


@pytest.fixture(scope="module")
def bank():
    bank = ResponseBank(start_bank_proxy)
    yield bank
    bank.stop()


def rows(condition=lambda row: True):
    return pytest.mark.parametrize("row", [row for row in ROWS if condition(row)], ids=lambda row: row.name)


@rows()
def test_an_answer_gets_its_verdict_and_does_not_poison_the_next(bank, row):
    assert bank.judge(row, bank.play(row)) == []


@rows(lambda row: len(b"".join(row.writes)) <= BYTEWISE_MAX)
def test_an_answer_in_single_bytes_gets_its_verdict(bank, row):
    data = b"".join(row.writes)
    assert bank.judge(row, bank.play(row, [data[i:i + 1] for i in range(len(data))])) == []


@rows(lambda row: row.method == "GET")
def test_the_same_answer_to_a_head_request_has_no_body_and_does_not_poison_the_next(bank, row):
    assert bank.judge(row, bank.play(row, method="HEAD"), head_only=True) == []

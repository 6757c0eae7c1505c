"""Hostile HTTP/2 from clients: every row of the bank, whole, byte by byte and cut in two anywhere."""
import pytest

from admin import stats
from configs import http_proxy
from flow import wait_until
from h2bank import HTTP2Bank, rows as load
from sluice import Sluice

ROWS = list(load())
BYTEWISE_MAX, SPLIT_MAX = 600, 120


def start(endpoint):
    return Sluice(http_proxy(endpoint, workers=1, route={"idle_timeout": "500ms"}, admin={"bind": "127.0.0.1:0"},
                             http={"http2": {"extended_connect": False}}))


@pytest.fixture(scope="module")
def bank():
    bank = HTTP2Bank(start)
    yield bank
    bank.stop()


def rows(condition=lambda row: True):
    return pytest.mark.parametrize("row", [row for row in ROWS if condition(row)], ids=lambda row: row.name)


def bytewise(data):
    return [data[i:i + 1] for i in range(len(data))]


@rows()
def test_a_row_gets_its_verdict_and_is_counted_by_its_reason(bank, row):
    before = stats(bank.proxy)
    bank.mark()
    assert bank.judge(row, bank.play_row(row)) == []
    if row.reason != "-":
        name = f"fault.{row.reason}"
        wait_until(lambda: stats(bank.proxy)[name] > before[name], what=f"{name} was not counted")


@rows(lambda row: len(row.bytes) <= BYTEWISE_MAX)
def test_a_row_sent_byte_by_byte_gets_its_verdict(bank, row):
    bank.mark()
    assert bank.judge(row, bank.play_row(row, bytewise(row.bytes)), is_split=True) == []


@rows(lambda row: len(row.bytes) <= SPLIT_MAX)
def test_a_row_cut_in_two_anywhere_gets_its_verdict(bank, row):
    for point in range(1, len(row.bytes)):
        bank.mark()
        outcome = bank.play_row(row, [row.bytes[:point], row.bytes[point:]])
        assert bank.judge(row, outcome, is_split=True) == [], f"cut after {row.bytes[:point]!r}"

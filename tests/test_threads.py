"""Iterators that run ahead: order, bounds, errors, and threads that end."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import cv2
import pytest

from faceswap_gan import threads
from faceswap_gan.threads import in_thread, opencv_in_one_thread


class Source:
    """Counts, and remembers who advanced and closed it."""

    def __init__(self, count: int, *, fail_at: int | None = None) -> None:
        self.made, self.closed, self.threads = 0, False, set()
        self._count, self._fail_at = count, fail_at

    def __call__(self):
        try:
            for i in range(self._count):
                self.threads.add(threading.get_ident())
                if i == self._fail_at:
                    raise ValueError(f"item {i}")
                self.made += 1
                yield i
        finally:
            self.closed = True


def _settle(condition) -> bool:
    limit = time.monotonic() + 5
    while not condition() and time.monotonic() < limit:
        time.sleep(0.005)
    return condition()


def _alive() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("ahead")]


@pytest.mark.parametrize("ahead", [1, 3, 50])
def test_all_items_in_order_from_another_thread(ahead):
    source = Source(20)
    assert list(in_thread(source(), ahead=ahead)) == list(range(20))
    assert threading.get_ident() not in source.threads
    assert len(source.threads) == 1
    assert _alive() == []
    assert list(in_thread([], ahead=ahead)) == []


def test_it_runs_ahead_but_no_further_than_told():
    source = Source(100)
    items = in_thread(source(), ahead=4)
    assert next(items) == 0
    assert _settle(lambda: source.made == 5)
    time.sleep(0.05)
    assert source.made == 5
    items.close()


def test_an_error_comes_where_its_item_would_have():
    source = Source(10, fail_at=3)
    items = in_thread(source(), ahead=8)
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="item 3"):
        next(items)
    assert source.closed
    assert _alive() == []


def test_a_reader_that_stops_ends_thread_and_source():
    source = Source(1000)
    items = in_thread(source(), ahead=2)
    for item in items:
        if item == 5:
            break
    items.close()
    assert source.closed
    assert source.made <= 8
    assert _alive() == []


def test_a_reader_that_fails_ends_every_stage_of_a_chain():
    source = Source(1000)

    def double(items):
        for item in items:
            yield item * 2

    def read() -> None:
        stages = in_thread(double(in_thread(source(), ahead=2)), ahead=2)
        for item in stages:
            if item == 10:
                stages.throw(OSError("disk full"))

    with pytest.raises(OSError, match="disk full"):
        read()
    assert _alive() == []
    assert source.made < 20


def test_an_error_of_the_first_stage_passes_through_the_others():
    source = Source(10, fail_at=4)
    stages = in_thread((x + 1 for x in in_thread(source(), ahead=2)), ahead=2)
    with pytest.raises(ValueError, match="item 4"):
        list(stages)
    assert _alive() == []


def test_ctrl_c_ends_the_process_at_once():
    script = (
        "import itertools, signal, sys, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background\n"
        "from faceswap_gan.threads import in_thread\n"
        "def slow(items):\n"
        "    for item in items:\n"
        "        time.sleep(0.02)\n"
        "        yield item\n"
        "try:\n"
        "    for i in in_thread(slow(in_thread(slow(itertools.count()), ahead=3)), ahead=3):\n"
        "        print(i, flush=True)\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(130)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130
    process.stdout.close()


@pytest.mark.parametrize(("cores", "inside"), [(2, 1), (16, 3)])
def test_opencv_keeps_to_one_thread_on_few_cores_only(monkeypatch, cores, inside):
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    monkeypatch.setattr(threads, "count_cores", lambda: cores)
    try:
        with suppress(KeyboardInterrupt), opencv_in_one_thread():
            assert cv2.getNumThreads() == inside
            raise KeyboardInterrupt
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)

"""Several processes that do the same work on many items.

A process that is killed takes with it whatever its pool was doing, and nobody can say which item
did it. So what was under way is then done again, each item in a process of its own; one that kills
that process too is what `died` makes of it.

**Invariant:** no more items are under way than `AHEAD` a process.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import active_children, get_context, parent_process
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
AHEAD = 4
WAKE_SECONDS = 0.05
"""Somebody who interrupts waits so long at most."""


def shared(
    work: Callable[[T], R], items: Iterable[T], jobs: int, died: Callable[[T], R]
) -> Iterator[R]:
    """`work` of every item, in the order of the items; what it raises is raised in its turn."""
    todo = iter(items)
    waiting: deque[tuple[T, Future[R]]] = deque()
    pool, finished = _pool(jobs), False
    try:
        while True:
            for item in _next(todo, AHEAD * jobs - len(waiting)):
                waiting.append((item, _submit(pool, work, item)))
            if not waiting:
                finished = True
                return
            item, future = waiting.popleft()
            if _broke(future):
                with _uninterrupted():
                    pool.shutdown()
                pool = _pool(jobs)
                waiting.appendleft((item, future))
                waiting = deque((each, _mended(work, each, done, died)) for each, done in waiting)
                item, future = waiting.popleft()
            yield future.result()
    finally:
        with _uninterrupted():
            if not finished:        # nobody waits for what is under way
                for worker in active_children():
                    worker.terminate()
            pool.shutdown(cancel_futures=True)


def _next(todo: Iterator[T], count: int) -> list[T]:
    return [item for _, item in zip(range(count), todo)]


def _pool(jobs: int) -> ProcessPoolExecutor:
    # Forked workers share what is loaded already, and start in no time.
    return ProcessPoolExecutor(jobs, get_context("fork"), _begin)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """An interrupt that comes meanwhile is told at the end: in between it would break a lock."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """What a worker does first: end at once when interrupted, or when nobody waits for it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    parent = parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _submit(pool: ProcessPoolExecutor, work: Callable[[T], R], item: T) -> Future[R]:
    try:
        with _uninterrupted():
            return pool.submit(work, item)
    except BrokenProcessPool as error:
        broken: Future[R] = Future()
        broken.set_exception(error)
        return broken


def _broke(future: Future[R]) -> bool:
    while True:
        with _uninterrupted(), suppress(TimeoutError):
            return isinstance(future.exception(WAKE_SECONDS), BrokenProcessPool)


def _mended(
    work: Callable[[T], R], item: T, before: Future[R], died: Callable[[T], R]
) -> Future[R]:
    """The result from before the pool broke; else that of a process of the item's own."""
    if not _broke(before):
        return before
    pool = _pool(1)
    try:
        future = _submit(pool, work, item)
        if not _broke(future):
            return future
    finally:
        with _uninterrupted():
            pool.shutdown()
    told: Future[R] = Future()
    told.set_result(died(item))
    return told

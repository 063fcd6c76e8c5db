"""A fake provider in a process of its own, as a provider is: it takes no time from the one that is measured."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from typing import Any

from tests.fake_server import FakeServer

START_S, STOP_S = 30, 10
Fake = Callable[[], FakeServer]


def _serve(fake: Fake, address: Queue[str], stop: Event) -> None:
    with fake() as server:
        address.put(server.base_url)
        stop.wait()


@contextmanager
def provider(**how: Any) -> Iterator[str]:
    """The base URL of a `FakeServer(**how)`; what it is given must stand in a module, so that the other process finds it."""
    spawn = multiprocessing.get_context("spawn")
    address, stop = spawn.Queue(), spawn.Event()
    process = spawn.Process(target=_serve, args=(partial(FakeServer, **how), address, stop), daemon=True)
    process.start()
    try:
        yield address.get(timeout=START_S)
    finally:
        stop.set()
        process.join(STOP_S)

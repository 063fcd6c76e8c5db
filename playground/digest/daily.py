"""The digest every day at an hour, for as long as the program runs: a small thread that looks at a clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Lock, Thread

from playground.digest.post import Post, now_utc
from playground.digest.send import Webhook
from playground.errors import PlaygroundError

TICK_S = 30.0
AGAIN = timedelta(minutes=15)
"""After a try that did not get through."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """At which hour, in UTC, and to which webhook; `rehearsals` is whether days without a live receipt are sent, too."""

    hour: int
    webhook: Webhook
    rehearsals: bool = False


class Daily:
    """Sends the digest of the day before, once, at an hour or as soon after it as the program runs."""

    def __init__(self, post: Post, clock: Callable[[], datetime] = now_utc, tick_s: float = TICK_S) -> None:
        self._post, self._clock, self._tick_s = post, clock, tick_s
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None
        self._not_before: datetime | None = None
        self.schedule: Schedule | None = None
        self.problem = ""
        """Why the last try did not get through; empty where it did."""

    def start(self, schedule: Schedule) -> None:
        """Send every day from now on; what was set before ends."""
        self.stop()
        with self._lock:
            self.schedule, self.problem, self._not_before = schedule, "", None
            self._stop = Event()
            self._thread = Thread(target=self._run, args=(self._stop,), name="daily-digest", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Send no more; a message on its way is waited for no longer than a moment."""
        with self._lock:
            thread, self._thread, self.schedule = self._thread, None, None
            self._stop.set()
        if thread is not None:
            thread.join(1.0)

    @property
    def next_at(self) -> datetime | None:
        """When the next digest is due; `None` where none is sent daily."""
        if self.schedule is None:
            return None
        now = self._clock().astimezone(UTC)
        due = now.replace(hour=self.schedule.hour, minute=0, second=0, microsecond=0)
        return due if now < due else due + timedelta(1)

    def look(self) -> bool:
        """Send what is due, and say whether something went out. The thread calls it at every tick."""
        schedule, now = self.schedule, self._clock().astimezone(UTC)
        if schedule is None or now.hour < schedule.hour or (self._not_before is not None and now < self._not_before):
            return False
        try:
            sent = self._post.send_once(schedule.webhook, now.date() - timedelta(1), schedule.rehearsals)
        except PlaygroundError as error:
            self.problem, self._not_before = str(error), now + AGAIN
            return False
        self.problem, self._not_before = "", None
        return sent

    def _run(self, stop: Event) -> None:
        while not stop.is_set():
            try:
                self.look()
            except Exception as error:
                # A thread that ends without a word would look like one that has nothing to send.
                self.problem = (
                    f"The daily digest met an error ({type(error).__name__}). It is tried again at the next look."
                )
            stop.wait(self._tick_s)

"""How often somebody may fail to log in."""

import time
from collections import defaultdict, deque
from collections.abc import Callable
from threading import Lock


class Limiter:
    """Counts failures by key in a sliding window.

    Each process counts for itself: nginx sends a client to the same slot, and during a release
    twice the limit is still a limit.
    """

    def __init__(
        self, limit: int, window_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limit = limit
        self.window_seconds = window_seconds
        self._clock = clock
        self._failures: defaultdict[str, deque[float]] = defaultdict(deque)
        self._lock = Lock()

    def seconds_to_wait(self, key: str) -> int:
        """0 when another try is allowed."""
        with self._lock:
            self._forget()
            failures = self._failures.get(key)
            if failures is None or len(failures) < self.limit:
                return 0
            return int(failures[-self.limit] + self.window_seconds - self._clock()) + 1

    def fail(self, key: str) -> None:
        with self._lock:
            self._failures[key].append(self._clock())

    def _forget(self) -> None:
        # Every key is looked at, so that the memory of those who never return is freed too.
        since = self._clock() - self.window_seconds
        for key in list(self._failures):
            failures = self._failures[key]
            while failures and failures[0] <= since:
                failures.popleft()
            if not failures:
                del self._failures[key]

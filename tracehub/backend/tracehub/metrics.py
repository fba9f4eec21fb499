"""What Prometheus may ask: requests, and how the machine under them is doing."""

from collections.abc import Iterator

import psutil
from prometheus_client import REGISTRY, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

# When a counter was born is a series for each counter, and nobody asks.
disable_created_metrics()  # type: ignore[no-untyped-call]

REQUESTS = Counter("tracehub_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "tracehub_request_seconds",
    "Time from a request to the last byte of its answer",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 10),
)
IN_FLIGHT = Gauge("tracehub_requests_in_flight", "Requests being answered")
WEBSOCKETS = Gauge("tracehub_websockets", "Open websockets")


class Machine(Collector):
    """Percentages, of the whole machine and of the disk that holds the uploads.

    The process's own cpu seconds and memory come from the client library.
    """

    def __init__(self) -> None:
        self.disk = "/"
        psutil.cpu_percent()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, words, value in (
            ("cpu", "CPU in use since the last time this was asked", psutil.cpu_percent()),
            ("memory", "Memory that is not available", psutil.virtual_memory().percent),
            ("disk", "Disk used where the uploads are", psutil.disk_usage(self.disk).percent),
        ):
            yield GaugeMetricFamily(f"tracehub_{name}_percent", f"{words}, percent", value)


MACHINE = Machine()
REGISTRY.register(MACHINE)

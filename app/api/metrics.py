"""What Prometheus can watch at /metrics.

Several processes add theirs up through files in PROMETHEUS_MULTIPROC_DIR, which `app.api.__main__` sets before
anything here is imported; whichever process is asked answers for all.
"""

import os

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.responses import Response

from app.drift import BINS

REGISTRY = CollectorRegistry()

REQUESTS = Counter("digits_requests", "Requests answered.", ("path", "status"), registry=REGISTRY)
ERRORS = Counter("digits_errors", "Answers with an error, by its code.", ("code",), registry=REGISTRY)
SECONDS = Histogram(
    "digits_request_seconds",
    "From a request's headers to the end of its answer.",
    ("path",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
PREDICTIONS = Counter("digits_predictions", "Characters recognized.", ("alphabet", "label"), registry=REGISTRY)
_SHARES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1)
CONFIDENCE = Histogram(
    "digits_confidence",
    "Confidence of predictions: a shift to the left is a drift of what people send.",
    ("alphabet",),
    buckets=_SHARES,
    registry=REGISTRY,
)
ANSWERS = Counter(
    "digits_answers",
    "Characters recognized, by the model's version; without those that were only tried out.",
    ("alphabet", "version", "label"),
    registry=REGISTRY,
)
UNSURE = Counter(
    "digits_unsure", "Characters recognized that were not sure.", ("alphabet", "version"), registry=REGISTRY
)
TENTHS = Histogram(
    "digits_confidence_tenths",
    "Confidence of predictions in tenths, as drift is told from them.",
    ("alphabet", "version"),
    buckets=[tenth / BINS for tenth in range(1, BINS + 1)],
    registry=REGISTRY,
)
VERDICTS = Counter(
    "digits_verdicts",
    "What people said of answers: right, wrong, or no_character.",
    ("alphabet", "version", "verdict"),
    registry=REGISTRY,
)
DRIFT = Gauge(
    "digits_drift",
    "Population stability index of the last day's answers against the model's record.",
    ("alphabet", "of"),
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
TEXTS = Counter("digits_texts", "Texts read.", ("alphabet",), registry=REGISTRY)
CHARACTERS = Counter("digits_text_characters", "Characters of texts.", ("alphabet", "label"), registry=REGISTRY)
TEXT_CONFIDENCE = Histogram(
    "digits_text_confidence", "Confidence of whole texts.", ("alphabet",), buckets=_SHARES, registry=REGISTRY
)
MODEL_FILES = Counter(
    "digits_model_files",
    "Model files that took another's place while an API process ran: taken up, refused because they are broken, or "
    "not reached in their bucket.",
    ("alphabet", "outcome"),
    registry=REGISTRY,
)
TOGETHER = Histogram(
    "digits_pictures_together",
    "Pictures that went through the network at once.",
    buckets=(1, 2, 4, 8, 16, 32),
    registry=REGISTRY,
)
WAITING = Gauge(
    "digits_pictures_waiting",
    "Pictures waiting to be recognized.",
    ("lane",),
    registry=REGISTRY,
    multiprocess_mode="livesum",
)

SAMPLES = Counter("digits_samples", "Samples sent, by what became of them.", ("outcome",), registry=REGISTRY)
SAMPLES_MOVED = Counter("digits_samples_moved", "Samples moved from the outbox to the database.", registry=REGISTRY)
SAMPLES_WAITING = Gauge(
    "digits_samples_waiting",
    "Samples that wait in the outbox.",
    registry=REGISTRY,
    multiprocess_mode="livemostrecent",
)
SAMPLES_AWAY = Gauge(
    "digits_samples_database_away",
    "1 while the samples' database cannot be reached.",
    registry=REGISTRY,
    multiprocess_mode="livemostrecent",
)


def of_all_processes() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def exposition() -> Response:
    return Response(generate_latest(of_all_processes()), media_type=CONTENT_TYPE_LATEST)

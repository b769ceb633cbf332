"""Every metric there is: name, kind, labels, unit and bounds. docs/observability.md lists them, and a test holds it against a scrape."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Kind = Literal["counter", "gauge", "histogram"]

CALL_SECONDS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
STAGE_SECONDS = (
    0.000001,
    0.0000025,
    0.000005,
    0.00001,
    0.000025,
    0.00005,
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.1,
    1.0,
)
COMMIT_SECONDS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0)


class Metric(Struct, frozen=True):
    """One metric. `bounds` are the upper bounds of a histogram's buckets."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


METRICS = (
    # --- calls, of all workers together
    Metric("wildgate_requests_total", "counter", "Calls that ended, by gRPC code and the contract's reason", ("rpc", "code", "reason")),
    Metric("wildgate_protocol_requests_total", "counter", "The same calls by what carried them: grpc or http", ("protocol",)),
    Metric("wildgate_request_seconds", "histogram", "Time from a call's handler to its answer or error", ("rpc",), CALL_SECONDS),
    Metric("wildgate_stage_seconds", "histogram", "Time of a stage, of one listing in eight", ("stage",), STAGE_SECONDS),
    Metric("wildgate_tier_seconds", "histogram", "Time of classify by its slowest tier, of one listing in eight", ("tier",), STAGE_SECONDS),
    Metric("wildgate_batch_listings", "histogram", "Listings of a batch", (), SIZES),
    Metric("wildgate_item_errors_total", "counter", "Items of batches that got an error of their own", ("reason",)),
    # --- decisions, of all workers together
    Metric("wildgate_decisions_total", "counter", "Decisions answered for the first time", ("action", "language")),
    Metric("wildgate_taxon_decisions_total", "counter", "Decisions that name a taxon of the group", ("group", "action")),
    Metric("wildgate_shadow_decisions_total", "counter", "Decisions in shadow, by the action that would have been asked for", ("asked",)),
    Metric("wildgate_degraded_decisions_total", "counter", "Decisions for which something was missing", ("reason",)),
    Metric("wildgate_tier_runs_total", "counter", "Decisions for which a tier of the classifier ran", ("tier",)),
    Metric("wildgate_sampled_decisions_total", "counter", "Allowed listings that were drawn for a moderator's look"),
    Metric("wildgate_repeated_decisions_total", "counter", "Repeats of a request, answered with what was recorded first"),
    # --- load, of each worker
    Metric("wildgate_worker_requests_total", "counter", "Calls that ended", ("worker",)),
    Metric("wildgate_calls_in_flight", "gauge", "Calls that are being answered", ("worker",)),
    Metric("wildgate_listings_held", "gauge", "Listings taken on and not answered", ("worker",)),
    Metric("wildgate_records_waiting", "gauge", "Records that wait for the writer", ("worker",)),
    Metric("wildgate_event_loop_lag_seconds", "gauge", "How late the event loop is, by the better of its last two beats", ("worker",)),
    Metric("wildgate_versions", "gauge", "Workers that serve these versions", ("lexicon", "model", "policy", "service")),
    # --- the writer and its store
    Metric("wildgate_writer_records_total", "counter", "Items that are in the store", ("kind",)),
    Metric("wildgate_writer_group_records", "histogram", "Decisions that were committed together", (), SIZES),
    Metric("wildgate_writer_commit_seconds", "histogram", "Time of one attempt to write a group, as it ended", ("result",), COMMIT_SECONDS),
    Metric("wildgate_store_failures_total", "counter", "Attempts to open or write the store that failed"),
    Metric("wildgate_store_state", "gauge", "1 for the state that the store is in: writable, spooling or failing", ("state",)),
    Metric("wildgate_spool_records", "gauge", "Records in the spool"),
    Metric("wildgate_spool_bytes", "gauge", "Size of the spool in bytes"),
    # --- the service as a whole
    Metric("wildgate_ready", "gauge", "1 while /readyz says so"),
    Metric("wildgate_start_time_seconds", "gauge", "When the service started, in Unix time"),
    Metric("wildgate_workers_wanted", "gauge", "Workers that there should be"),
    Metric("wildgate_workers_serving", "gauge", "Workers that serve"),
    Metric("wildgate_process_deaths_total", "counter", "Processes that ended unasked; each is started again", ("kind",)),
    Metric("wildgate_process_cpu_seconds_total", "counter", "CPU time, user and system", ("process",)),
    Metric("wildgate_process_resident_bytes", "gauge", "Resident memory; what processes share is counted in each", ("process",)),
    Metric("wildgate_reloads_total", "counter", "Reloads: served by all workers, partial or refused (broken files)", ("result",)),
    Metric("wildgate_reload_broken", "gauge", "1 while the lexicons or the policy on disk cannot be served"),
    Metric("wildgate_certificate_expiry_timestamp_seconds", "gauge", "When the TLS certificate in use ends, in Unix time"),
)
BY_NAME = {metric.name: metric for metric in METRICS}

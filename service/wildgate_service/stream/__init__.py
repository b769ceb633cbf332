"""Posts of a message stream, scored after the fact by a Wildgate service: at least once in, recorded exactly once.

    posts   ── one message into a listing and the request_id that stays its own, however often it is delivered   posts.py
    scoring ── batches through the SDK until the service has recorded each, with backoff                         scoring.py
    passing ── decisions and poison messages on to other subjects, and only then the acknowledgment              passing.py
    broker  ── NATS JetStream or Kafka, by FastStream                                                            nats.py, kafka.py

It needs a broker, a service and the extra `stream`, and nothing of the service's own files.
"""

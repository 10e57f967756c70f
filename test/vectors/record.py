"""Records what a live Celery writes, as test vectors: see README.md beside this file.

Everything that is published goes through the exchange `media`; the queue `tap` gets a copy of each message.
"""
import argparse
import base64
import datetime as dt
import json
import os
import re
import subprocess
import sys
import threading
import time
import uuid
from decimal import Decimal
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--broker", required=True, help="amqp:// URL of a RabbitMQ vhost that may be used")
parser.add_argument("--redis", required=True, help="redis:// URL of a database that is flushed first")
parser.add_argument("--out", default=str(Path(__file__).parent))
ARGS = parser.parse_args()
os.environ["VECTORS_BROKER"] = ARGS.broker
os.environ["VECTORS_REDIS"] = ARGS.redis

import celery  # noqa: E402
import celery_app as tasks  # noqa: E402
from celery.utils.saferepr import saferepr  # noqa: E402
from kombu.utils.json import dumps  # noqa: E402
from redis import Redis  # noqa: E402

app = tasks.app
redis = Redis.from_url(ARGS.redis)
HERE = Path(__file__).parent
WHEN = dt.datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=dt.timezone.utc)


MACHINE = [
    (re.compile(re.escape(str(Path(celery.__file__).parent.parent)).encode()), b"/site-packages"),
    (re.compile(re.escape(str(HERE)).encode()), b"/app"),
    (re.compile(rb"/[^ \"]*/lib/python3"), b"/lib/python3"),
    (re.compile(rb"kernel version:[^ ]+"), b"kernel version:0"),
]


def clean(data):
    """Without the paths of the machine that records."""
    for pattern, replacement in MACHINE:
        data = pattern.sub(replacement, data)
    return data


def b64(data):
    return base64.b64encode(clean(data if isinstance(data, bytes) else data.encode())).decode()


def message_row(message):
    # The broker's own message: kombu's would already be decompressed.
    info = message.delivery_info
    return {
        "exchange": info.get("exchange"),
        "routingKey": info.get("routing_key"),
        "properties": {key: value for key, value in message.properties.items() if key != "application_headers"},
        "headers": message.headers or {},
        "body": b64(message.body),
    }


def save(name, rows):
    path = Path(ARGS.out) / f"{name}-{celery.__version__}.json"
    path.write_text("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")
    print(f"{path.name}: {len(rows)}")


def few(rows):
    """The messages that show an event type for one of the first three times."""
    seen = {}
    kept = []
    for row in rows:
        body = json.loads(base64.b64decode(row["body"]))
        types = [event["type"] for event in (body if isinstance(body, list) else [body])]
        if any(seen.get(kind, 0) < 3 for kind in types):
            kept.append(row)
        for kind in types:
            seen[kind] = seen.get(kind, 0) + 1
    return kept


class Tap:
    """A queue that copies what an exchange gets."""

    def __init__(self, exchange, kind, key, durable=True):
        self.channel = app.connection_for_write().default_channel
        self.channel.exchange_declare(exchange, kind, durable=durable, auto_delete=False)
        self.queue = f"tap.{exchange}.{uuid.uuid4()}"
        self.channel.queue_declare(self.queue, exclusive=True)
        self.channel.queue_bind(self.queue, exchange, key)

    def drain(self):
        rows = []
        while (message := self.channel.basic_get(self.queue, no_ack=True)) is not None:
            rows.append(message_row(message))
        return rows


def record_values():
    """JSON and reprs of single values, straight from kombu and Celery."""
    aware = dt.timezone(dt.timedelta(hours=5, minutes=30))
    values = [
        None, True, False, 0, -1, 2**53 - 1, 2**53, 2**63, -(10**30), 0.0, -0.0, 1.0, 1.5, 0.1, 1e-4, 1e-5, 123456789012345680.0, 1e16, 1e15,
        1e22, 1.7976931348623157e308, 5e-324, float("inf"), float("-inf"), "", "plain", "it's", 'say "x"', "it's \"both\"", "back\\slash",
        "line\nbreak\ttab\r\x00\x1b\x7f", "ü €", "日本", "😀", "\u2028\u00a0\u200b\u00ad", "\ud800", b"bytes", b"\xff\x00raw", [], [1, [2, [3, [4, [5]]]]],
        {}, {"a": 1, "b": {"c": {"d": {"e": 1}}}}, {"k": None, "é": [True]}, dt.datetime(2026, 1, 2, 3, 4), dt.datetime(2026, 1, 2, 3, 4, 5, 6),
        WHEN, dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=aware), dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone(-dt.timedelta(hours=3))),
        dt.date(2026, 1, 2), dt.time(3, 4), dt.time(3, 4, 5, 600000), Decimal("1.50"), Decimal("-1E+3"), Decimal("NaN"),
        uuid.UUID("12345678-1234-5678-1234-567812345678"), "x" * 2000, ["word " * 100] * 5, list(range(500)), {f"key{i}": "v" * 40 for i in range(40)},
    ]
    rows = [{"json": dumps(value), "repr": repr(value), "saferepr": saferepr(value, 1024)} for value in values]
    rows.append({"json": dumps(float("nan")), "repr": "nan", "saferepr": "nan"})
    rows += [{"json": dumps(value), "saferepr": saferepr(tuple(value), 1024), "tuple": True} for value in ([], [1], [1, "a", [2, {"x": [3]}]])]
    save("values", rows)


def record_messages():
    """Task messages as producers send them: nothing consumes `work` yet."""
    from record_messages import scenarios

    tap = Tap("media", "topic", "#")
    rows = []
    for name, send in scenarios(tasks, WHEN):
        send()
        rows += [{"name": name, **row} for row in tap.drain()]
    save("messages", rows)
    with app.connection_for_write() as connection:
        connection.default_channel.queue_purge("work")


class Monitor:
    """What reaches Redis, as MONITOR shows it."""

    def __enter__(self):
        self.commands = []
        self.monitor = Redis.from_url(ARGS.redis).monitor()
        self.monitor.__enter__()
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def listen(self):
        try:
            for entry in self.monitor.listen():
                self.commands.append(entry["command"])
        except Exception:  # the connection was closed: the recording is over
            return

    def __exit__(self, *_):
        time.sleep(0.2)
        self.monitor.connection.disconnect()


def start_worker(**env):
    command = [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "-n", "vector@host", "-c", "1", "-E", "-l", "ERROR", "--without-gossip"]
    worker = subprocess.Popen(command, cwd=HERE, env={**os.environ, **env})
    while not app.control.ping(destination=["vector@host"], timeout=0.5):
        if worker.poll() is not None:
            raise SystemExit("the worker did not start")
    return worker


def record_worker():
    """What a worker does with tasks: messages it publishes, rows in Redis, events."""
    from record_worker import control_calls, runs

    redis.flushdb()
    published, events, requests = Tap("media", "topic", "#"), Tap("celeryev", "topic", "#"), Tap("celery.pidbox", "fanout", "", durable=False)
    replies = Tap("reply.celery.pidbox", "direct", "vectors-reply", durable=False)
    results, sent = [], []
    worker = start_worker(VECTORS_TRACK_STARTED="1")
    try:
        for name, run in runs(tasks):
            with Monitor() as monitor:
                run()
                time.sleep(0.3)
            writes = [c for c in monitor.commands if c.split(" ")[0] not in {"SUBSCRIBE", "UNSUBSCRIBE", "GET", "MGET", "PING", "CLIENT", "HELLO", "SELECT", "MONITOR"}]
            if "celery-taskset-meta" in "".join(writes) or name == "success":
                results.append({"name": name, "commands": [clean(command.encode()).decode() for command in writes]})
            sent += [{"name": name, **row} for row in published.drain()]
        keys = [{"key": key.decode(), "ttl": redis.ttl(key), "value": b64(redis.get(key))} for key in redis.keys("celery-task*") if redis.type(key) == b"string"]
        rows = []
        for name, call in control_calls(tasks, app):
            requests.drain(), replies.drain()
            call()
            time.sleep(0.4)
            rows.append({"name": name, "requests": requests.drain(), "replies": replies.drain()})
        worker.terminate()
        worker.wait(20)
    finally:
        worker.kill()
    save("redis", results)
    save("results", sorted(keys, key=lambda row: row["key"]))
    save("published", sent)
    save("events", few(events.drain()))
    save("pidbox", rows)


if __name__ == "__main__":
    record_values()
    record_messages()
    record_worker()

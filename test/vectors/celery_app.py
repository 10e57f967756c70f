"""The Celery app whose bytes `record.py` records: its producer half and, run by `celery worker`, its tasks."""
import os
import time

from celery import Celery
from celery.exceptions import Ignore, Reject
from kombu import Exchange, Queue

app = Celery("vectors", broker=os.environ["VECTORS_BROKER"], backend=os.environ["VECTORS_REDIS"])
# A topic exchange: with a direct one Celery publishes straight to the queue, and a second queue could not listen in.
media = Exchange("media", "topic")
app.conf.update(
    task_queues=[Queue("work", media, routing_key="work")],
    task_default_queue="work",
    task_default_exchange="media",
    task_default_exchange_type="topic",
    task_default_routing_key="work",
    accept_content=["json", "msgpack", "yaml"],
    result_accept_content=["json"],
    task_track_started=os.environ.get("VECTORS_TRACK_STARTED") == "1",
    result_extended=os.environ.get("VECTORS_EXTENDED") == "1",
    task_send_sent_event=True,
    broker_connection_retry_on_startup=True,
)


class PaymentDeclined(Exception):
    """An exception class that only the application has."""


@app.task
def add(x, y):
    return x + y


@app.task
def echo(value):
    return value


@app.task
def tsum(values):
    return sum(values)


@app.task
def fail(message="no such clip"):
    raise ValueError(message)


@app.task
def fail_own():
    raise PaymentDeclined("card", 42)


@app.task(bind=True, max_retries=1)
def flaky(self, delay=0):
    raise self.retry(exc=KeyError("busy"), countdown=delay)


@app.task(bind=True)
def retry_once(self, x, y=2.0):
    if self.request.retries == 0:
        raise self.retry(countdown=1, max_retries=3)
    return x + y


@app.task
def sleep(seconds):
    time.sleep(seconds)
    return "slept"


@app.task(soft_time_limit=0.3, time_limit=5)
def soft_limited():
    time.sleep(10)


@app.task(time_limit=0.5)
def hard_limited():
    time.sleep(10)


@app.task
def ignore():
    raise Ignore()


@app.task(acks_late=True)
def reject():
    raise Reject("not mine", requeue=False)


@app.task(bind=True)
def progress(self):
    self.update_state(state="PROGRESS", meta={"done": 1, "total": 2.0})
    time.sleep(0.3)
    return "done"


@app.task(bind=True)
def parent(self):
    add.delay(1, 1)
    return "has a child"


@app.task(bind=True)
def replaced(self, x):
    raise self.replace(add.si(x, 10))


@app.task
def lose_worker():
    os._exit(9)


@app.task
def on_error(request, exc, traceback):
    return f"{request.id} {exc!r}"


@app.task
def old_on_error(task_id):
    return task_id

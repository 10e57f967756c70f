"""A Celery app for the remote control's contract: one task that takes as long as it is told."""
import os
import time

from celery import Celery

app = Celery("control", broker=os.environ["CONTROL_BROKER"])
app.conf.update(
    task_default_queue=os.environ["CONTROL_QUEUE"],
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    # RabbitMQ 4.3 refuses transient queues that are not exclusive.
    control_queue_exclusive=True,
    event_queue_exclusive=True,
)


@app.task(name="control.wait")
def wait(seconds):
    time.sleep(seconds)

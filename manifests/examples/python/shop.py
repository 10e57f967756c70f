"""The image's module: a plain Celery application."""
import os

from celery import Celery
from kombu import Queue

app = Celery("shop", broker=os.environ["CELERY_BROKER_URL"], backend=os.environ.get("CELERY_RESULT_BACKEND"))
app.conf.task_queues = [Queue("python-orders", no_declare=True, queue_arguments={"x-queue-type": "quorum"})]
app.conf.task_default_queue = "python-orders"
app.conf.task_acks_late = True
app.conf.worker_prefetch_multiplier = 1
app.conf.control_queue_exclusive = app.conf.event_queue_exclusive = True


@app.task(name="shop.add")
def add(x, y):
    return x + y

"""A Celery app that writes to the ledger, as `ledger-task.ts` does: a task that sleeps."""
import json
import os
import socket
import time

from celery import Celery
from celery.signals import worker_ready, worker_shutting_down
from kombu import Queue

app = Celery("ledger_tasks", broker=os.environ["CELERY_BROKER_URL"])
# The queue is made by its own resource, as a quorum queue: Celery would declare a classic one.
queues = [Queue(name, no_declare=True) for name in os.environ["LONGSHORE_QUEUES"].split(",")]
app.conf.update(task_queues=queues, task_acks_late=True, worker_prefetch_multiplier=1, task_ignore_result=True)
sockets = {}


def write(**line):
    """One connection per process; its end is the end of that process."""
    pid = os.getpid()
    if pid not in sockets:
        sockets[pid] = socket.create_connection((os.environ["LEDGER_HOST"], int(os.environ["LEDGER_PORT"])))
    line = {"pod": os.environ["POD_NAME"], "at": round(time.time() * 1000), **line}
    sockets[pid].sendall((json.dumps(line) + "\n").encode())


@worker_ready.connect
def ready(**_):
    write(event="hello")


@worker_shutting_down.connect
def told(**_):
    write(event="told")


@app.task(name="ledger.sleep", bind=True)
def sleep(self, ms):
    write(event="start", task=self.request.id, redelivered=bool(self.request.delivery_info.get("redelivered")))
    if ms < 0:
        sockets[os.getpid()].recv(1)  # until it says a word
    else:
        time.sleep(ms / 1000)
    write(event="end", task=self.request.id)

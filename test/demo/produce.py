"""A real Celery client: sends the transcoding tasks and fetches every result. It knows nothing of Longshore.

Reads one JSON object on stdin: {"exchange", "routing_key", "tasks": [{"source", "target", "height"}], "timeout"}.
Writes JSON lines on stdout: {"sent": n}, one {"result": {...}} per finished task, {"end": true}.
The broker and the result backend come from the environment, so that no password stands in a process list.
"""

import json
import os
import signal
import sys
import time

from celery import Celery
from celery.exceptions import TimeoutError as ResultTimeout

app = Celery(broker=os.environ["CELERY_BROKER_URL"], backend=os.environ["CELERY_RESULT_BACKEND"])
app.conf.update(task_serializer="json", result_serializer="json", accept_content=["json"], broker_connection_retry_on_startup=True)


def say(**line):
    print(json.dumps(line), flush=True)


def main():
    order = json.load(sys.stdin)
    sent = []
    with app.connection_for_write() as connection, app.amqp.Producer(connection) as producer:
        for task in order["tasks"]:
            handle = app.send_task(
                "video.transcode",
                kwargs=task,
                exchange=order["exchange"],
                routing_key=order["routing_key"],
                producer=producer,
            )
            sent.append((handle, task["target"].rsplit("/", 1)[-1]))
    say(sent=len(sent))

    deadline = time.monotonic() + order["timeout"]
    for handle, target in sent:
        line = {"task_id": handle.id, "target": target, "state": "PENDING", "result": None, "error": None}
        try:
            line["result"] = handle.get(timeout=max(0.1, deadline - time.monotonic()))
            line["state"] = "SUCCESS"
        except ResultTimeout:
            line["error"] = "no result in time"
        except Exception as error:  # whatever the task raised, as this client sees it
            line["state"] = handle.state
            line["error"] = f"{type(error).__name__}: {error}"
        say(result=line)
    say(end=True)


for interrupt in (signal.SIGINT, signal.SIGTERM):
    signal.signal(interrupt, lambda *_: os._exit(130))
main()

"""Sends what every example of manifests/examples is about, from a plain Celery, a FastAPI and a Django; prints the answers as JSON."""
import json
import os
import runpy
import sys
import time

from celery import Celery
from kombu import Queue

EXAMPLES = sys.argv[1]
app = Celery("examples", broker=os.environ["CELERY_BROKER_URL"], backend=os.environ["CELERY_RESULT_BACKEND"])
QUEUES = ["videos", "emails", "reports", "orders", "python-orders", "files", "hooks"]
app.conf.task_queues = [Queue(name, no_declare=True) for name in QUEUES]


def send(queue, name, **kwargs):
    return app.send_task(name, kwargs=kwargs, queue=queue)


def fastapi():
    from fastapi.testclient import TestClient

    client = TestClient(runpy.run_path(f"{EXAMPLES}/fastapi/app.py")["api"])
    task = client.post("/orders/F-1?amount=3").json()["task"]
    until = time.monotonic() + 300
    while (answer := client.get(f"/orders/{task}").json())["state"] == "PENDING" and time.monotonic() < until:
        time.sleep(0.2)
    return answer


def django():
    from django.conf import settings

    settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
    import django as framework
    from django.test import RequestFactory

    framework.setup()
    app.set_current()
    order = runpy.run_path(f"{EXAMPLES}/fastapi/django_views.py")["order"]
    return order(RequestFactory().post("/", {"amount": "4"}), "D-1").status_code


calls = {
    "videos": [send("videos", "videos.thumbnail", video=str(n), rounds=10) for n in range(4)],
    "mails": [send("emails", "emails.send", to=f"a{n}@example.org", ms=50) for n in range(20)],
    "reports": [send("reports", "emails.send", to="report@example.org", ms=1)],
    "python": [app.send_task("shop.add", (2, 3), queue="python-orders")],
    "files": [send("files", "files.checksum", path="/data/hello.txt")],
    "hooks": [send("hooks", "hooks.notify", customer="c/1", event="paid")],
}
answers = {name: [call.get(timeout=300) for call in sent] for name, sent in calls.items()}
answers["orders"] = runpy.run_path(f"{EXAMPLES}/idempotent-orders/producer.py")["main"]()
answers["fastapi"] = fastapi()
answers["django"] = django()
print(json.dumps(answers))

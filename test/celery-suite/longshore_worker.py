"""A pytest plugin: the worker of Celery's integration suite is Longshore's.

The suite starts its one session worker through `celery.contrib.testing.worker.start_worker`. Here that starts our worker process, with
the suite's tasks in TypeScript, under the node name that the suite asks for. No file of Celery's is changed.
"""

import gc
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

from celery.contrib.testing import worker as testing
from celery.result import _set_task_join_will_block, allow_join_result
from celery.utils.nodenames import anon_nodename

SETTINGS = json.loads(os.environ["LONGSHORE_SUITE"])
START_SECONDS = 180
STOP_SECONDS = 20


def wait_until_ready(process, port):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the worker ended with {process.returncode}: see {SETTINGS['log']}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"the worker was not ready after {START_SECONDS} s: see {SETTINGS['log']}")


@contextmanager
def start_longshore(app, **_):
    testing.setup_app_for_worker(app, "error", None)
    with app.connection() as connection:
        # Celery's worker declares its queue when it starts; ours finds it.
        app.amqp.queues["celery"](connection.default_channel).declare()
    environment = {
        "PATH": os.environ["PATH"],
        "POD_NAME": "celery-suite",
        "CELERY_BROKER_URL": app.conf.broker_url,
        "CELERY_RESULT_BACKEND": app.conf.result_backend,
        "REDIS_PORT": os.environ["REDIS_PORT"],
        "LONGSHORE_HTTP_PORT": str(SETTINGS["port"]),
        **SETTINGS["environment"],
    }
    arguments = ["-A", SETTINGS["tasks"], "worker", "-Q", "celery", "-c", "1", "-n", anon_nodename(), "-l", "info"]
    # Celery's prefork worker holds one task that runs and four that wait; so does this one.
    arguments += ["--prefetch-multiplier", "5"]
    with open(SETTINGS["log"], "ab") as log:
        process = subprocess.Popen([SETTINGS["node"], SETTINGS["main"], *arguments], env=environment, stdout=log, stderr=log)
    try:
        wait_until_ready(process, SETTINGS["port"])
        _set_task_join_will_block(False)
        with allow_join_result():
            assert app.tasks["celery.ping"].delay().get(timeout=60) == "pong"
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


testing.start_worker = start_longshore


class Report:
    """One line of JSON per test that ended, with its last attempt."""

    def __init__(self):
        self.parts = {}

    def add(self, report):
        part = self.parts.setdefault(report.nodeid, {"seconds": 0.0, "reruns": 0, "outcome": "passed", "reason": ""})
        part["seconds"] += report.duration
        if report.outcome == "rerun":
            part["reruns"] += 1
        elif report.outcome == "passed" and hasattr(report, "wasxfail"):
            part["outcome"] = "xpassed"
            part["reason"] = report.wasxfail
        elif report.outcome in ("failed", "skipped") and part["outcome"] != "failed":
            part["outcome"] = report.outcome
            part["reason"] = str(report.longrepr)[-2000:]

    def write(self, nodeid):
        part = self.parts.pop(nodeid, None)
        if part is None:
            return
        with open(SETTINGS["report"], "a", encoding="utf-8") as file:
            file.write(json.dumps({"id": nodeid, **part}) + "\n")


REPORT = Report()


def pytest_collection_modifyitems(config, items):
    excluded = set(SETTINGS["excluded"])
    wanted = [item for item in items if item.nodeid.split("/")[-1] not in excluded]
    wanted = [item for place, item in enumerate(wanted) if place % SETTINGS["shards"] == SETTINGS["shard"]]
    kept = set(wanted)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = wanted


def pytest_runtest_setup():
    # A result that nobody holds any more still listens in Redis until it is collected; some tests count who listens.
    gc.collect()


def pytest_runtest_logreport(report):
    REPORT.add(report)


def pytest_runtest_logfinish(nodeid):
    REPORT.write(nodeid)

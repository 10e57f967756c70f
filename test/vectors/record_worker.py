"""What the worker is asked while it is recorded: tasks to run, remote control calls."""
import time
import uuid

from celery import chain, chord, group
from celery.result import allow_join_result


def wait(result, timeout=20):
    """Waits for any end of a task; a failure is an end too."""
    with allow_join_result():
        result.get(timeout=timeout, propagate=False)
    return result


def runs(t):
    def revoked():
        result = t.add.apply_async((1, 2), countdown=2)
        time.sleep(0.5)
        result.revoke()
        wait(result)

    def expired():
        result = t.add.apply_async((1, 2), countdown=1.5, expires=0.5)
        time.sleep(3)
        return result

    def terminated():
        result = t.sleep.delay(30)
        time.sleep(1)
        result.revoke(terminate=True, signal="SIGTERM")
        time.sleep(1)

    return [
        ("success", lambda: wait(t.add.delay(1, 2))),
        ("float", lambda: wait(t.add.delay(1, 2.0))),
        ("none", lambda: wait(t.echo.delay(None))),
        ("text", lambda: wait(t.echo.delay("it's ü 😀"))),
        ("nested", lambda: wait(t.echo.delay({"a": [1, None, True, {"b": 2**60}]}))),
        ("failure", lambda: wait(t.fail.delay())),
        ("failure of an own class", lambda: wait(t.fail_own.delay())),
        ("failure by arguments", lambda: wait(t.app.send_task("celery_app.add", (1,)))),
        ("unknown task", lambda: wait(t.app.send_task("no.such.task", (1,)))),
        ("retry", lambda: wait(t.retry_once.apply_async((1,), headers={"tenant": 7}, priority=3, time_limit=60, expires=100, link=t.echo.s()))),
        ("retries exhausted", lambda: wait(t.flaky.delay())),
        ("soft time limit", lambda: wait(t.soft_limited.delay())),
        ("hard time limit", lambda: wait(t.hard_limited.delay())),
        ("progress", lambda: wait(t.progress.delay())),
        ("children", lambda: wait(t.parent.delay())),
        ("replace", lambda: wait(t.replaced.delay(5))),
        ("ignore", lambda: (t.ignore.delay(), time.sleep(0.5))),
        ("reject", lambda: (t.reject.delay(), time.sleep(0.5))),
        ("revoked", revoked),
        ("expired", expired),
        ("terminated", terminated),
        ("worker lost", lambda: (t.lose_worker.delay(), time.sleep(3))),
        ("link", lambda: (wait(t.add.apply_async((1, 2), link=t.add.s(4.0))), time.sleep(0.5))),
        ("several links", lambda: (wait(t.add.apply_async((1, 2), link=[t.add.s(1), t.echo.si("x")])), time.sleep(0.5))),
        ("link to a group", lambda: (wait(t.add.apply_async((1, 2), link=group(t.add.s(1), t.add.s(2)))), time.sleep(0.5))),
        ("link error", lambda: (wait(t.fail.apply_async(link_error=t.on_error.s())), time.sleep(0.5))),
        ("old link error", lambda: (wait(t.fail.apply_async(link_error=t.old_on_error.s())), time.sleep(0.5))),
        ("chain", lambda: wait(chain(t.add.s(1, 2.0), t.add.s(3.0), t.echo.si("end")).apply_async())),
        ("chain that fails", lambda: (chain(t.fail.si(), t.add.s(3), t.echo.si("end")).apply_async(), time.sleep(1))),
        ("group", lambda: wait(group(t.add.s(1, 2), t.add.s(3, 4)).apply_async())),
        ("saved group", lambda: wait(group(t.add.s(1, 2), t.add.s(3, 4)).apply_async().save() or t.add.delay(0, 0))),
        ("chord", lambda: wait(chord([t.add.s(1, 2), t.add.s(3, 4)], t.tsum.s()).apply_async())),
        ("chord that fails", lambda: wait(chord([t.add.s(1, 2), t.fail.si()], t.tsum.s().on_error(t.on_error.s())).apply_async())),
        ("chain into group into task", lambda: wait((t.add.s(1, 2) | group(t.add.s(1), t.add.s(2.0)) | t.tsum.s()).apply_async())),
        ("chain into group", lambda: (wait((t.add.s(1, 2) | group(t.add.s(1), t.add.s(2.0))).apply_async()), time.sleep(0.5))),
    ]


def control_calls(t, app):
    reply_to = {"exchange": "reply.celery.pidbox", "routing_key": "vectors-reply"}

    def ask(method, **arguments):
        """As kombu's mailbox asks, but the reply goes to the recorder's queue."""
        body = {"method": method, "arguments": arguments, "destination": ["vector@host"], "pattern": None, "matcher": None}
        body |= {"ticket": str(uuid.uuid4()), "reply_to": reply_to}
        with app.producer_pool.acquire() as producer:
            producer.publish(body, exchange="celery.pidbox", routing_key="", headers={"clock": 7, "expires": time.time() + 1}, serializer="json")

    def while_running(method, **arguments):
        def call():
            t.sleep.apply_async((2.0,), task_id=f"run-{method}", priority=1)
            t.add.apply_async((1, 2), task_id=f"wait-{method}")
            t.add.apply_async((1, 2), task_id=f"later-{method}", countdown=4)
            time.sleep(0.8)
            ask(method, **arguments)
            time.sleep(2)

        return call

    plain = ["ping", "clock", "registered", "stats", "active_queues", "conf", "report", "revoked", "enable_events", "enable_events", "heartbeat", "no_such"]
    calls = [(method, lambda method=method: ask(method)) for method in plain]
    calls += [
        ("real ping", lambda: app.control.ping(timeout=0.5)),
        ("real inspect", lambda: app.control.inspect(timeout=0.5).active(safe=True)),
        ("registered with items", lambda: ask("registered", taskinfoitems=["name", "max_retries"], builtins=True)),
        ("active", while_running("active")),
        ("active safe", while_running("active", safe=True)),
        ("reserved", while_running("reserved")),
        ("scheduled", while_running("scheduled")),
        ("query_task", while_running("query_task", ids=["run-query_task", "wait-query_task", "none"])),
        ("revoke", lambda: ask("revoke", task_id="aaaa")),
        ("revoke several", lambda: ask("revoke", task_id=["aaaa"], terminate=True, signal="SIGTERM")),
        ("revoke by stamp", lambda: ask("revoke_by_stamped_headers", headers={"tenant": ["acme"]})),
        ("rate limit", lambda: ask("rate_limit", task_name="celery_app.add", rate_limit="10/m")),
        ("rate limit off", lambda: ask("rate_limit", task_name="celery_app.add", rate_limit=0)),
        ("rate limit of no task", lambda: ask("rate_limit", task_name="none", rate_limit="10/m")),
        ("rate limit wrong", lambda: ask("rate_limit", task_name="celery_app.add", rate_limit="x")),
        ("time limit", lambda: ask("time_limit", task_name="celery_app.sleep", hard=60, soft=50)),
        ("missing argument", lambda: ask("rate_limit")),
        ("pool_grow", lambda: ask("pool_grow", n=1)),
        ("pool_shrink", lambda: ask("pool_shrink", n=1)),
        ("pool_restart", lambda: ask("pool_restart")),
        ("autoscale", lambda: ask("autoscale", max=3, min=1)),
        ("add_consumer", lambda: ask("add_consumer", queue="extra")),
        ("cancel_consumer", lambda: ask("cancel_consumer", queue="extra")),
        ("hello", lambda: ask("hello", from_node="other@host", revoked={})),
        ("hello to itself", lambda: ask("hello", from_node="vector@host", revoked={})),
        ("disable_events", lambda: ask("disable_events")),
    ]
    return calls

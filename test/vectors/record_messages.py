"""Task messages that a producer can send: (name, call)."""
import datetime as dt
import uuid
from decimal import Decimal

from celery import chain, chord, group


def scenarios(t, when):
    typed = {
        "naive": dt.datetime(2026, 1, 2, 3, 4, 5, 6),
        "aware": when,
        "date": dt.date(2026, 1, 2),
        "time": dt.time(3, 4, 5),
        "decimal": Decimal("12.50"),
        "uuid": uuid.UUID("12345678-1234-5678-1234-567812345678"),
        "bytes": b"text",
        "raw": b"\xff\xfe",
    }
    numbers = [float("nan"), float("inf"), float("-inf"), 2**53 + 1, -(2**64), 1.0, 1e16, 1e-7, -0.0]
    fixed = {"task_id": "11111111-2222-3333-4444-555555555555", "reply_to": "66666666-7777-8888-9999-000000000000"}
    v1 = {"task_protocol": 1}

    def with_protocol_1(send):
        def call():
            t.app.conf.task_protocol = 1
            t.app.amqp.__dict__.pop("_create_task_sender", None)
            try:
                send(t.app.amqp.as_task_v1)
            finally:
                t.app.conf.task_protocol = 2

        return call

    def send_v1(**options):
        def send(as_task_v1):
            message = as_task_v1(str(uuid.uuid4()), "celery_app.add", args=(1, 2.0), kwargs={"z": "ü"}, **options)
            with t.app.producer_pool.acquire() as producer:
                t.app.amqp.send_task_message(producer, "celery_app.add", message, exchange="media", routing_key="work")

        return with_protocol_1(send)

    return [
        ("plain", lambda: t.add.apply_async((1, 2), **fixed)),
        ("delay", lambda: t.add.delay(1, y=2)),
        ("no arguments", lambda: t.fail.delay()),
        ("eta", lambda: t.add.apply_async((1, 2), eta=when)),
        ("eta in another zone", lambda: t.add.apply_async((1, 2), eta=when.astimezone(dt.timezone(dt.timedelta(hours=-7))))),
        ("countdown", lambda: t.add.apply_async((1, 2), countdown=3600)),
        ("expires in seconds", lambda: t.add.apply_async((1, 2), expires=120)),
        ("expires at a date", lambda: t.add.apply_async((1, 2), expires=dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=1))),
        ("priority", lambda: t.add.apply_async((1, 2), priority=7)),
        ("time limits", lambda: t.add.apply_async((1, 2), time_limit=30, soft_time_limit=20.5)),
        ("ignore result", lambda: t.add.apply_async((1, 2), ignore_result=True)),
        ("custom headers", lambda: t.add.apply_async((1, 2), headers={"traceparent": "00-abc-def-01", "tenant": 7})),
        ("shadow", lambda: t.add.apply_async((1, 2), shadow="sum")),
        ("stamps", lambda: _stamped(t)),
        ("typed values", lambda: t.echo.delay(typed)),
        ("numbers", lambda: t.echo.delay(numbers)),
        ("strings", lambda: t.echo.delay("it's \"ü\" 日本 😀 \n\x00\u2028\\")),
        ("long arguments", lambda: t.echo.delay(["word " * 50] * 40)),
        ("deep arguments", lambda: t.echo.apply_async(kwargs={"value": [[[[[1]]]]]})),
        ("link", lambda: t.add.apply_async((1, 2), link=t.add.s(4.0), link_error=t.on_error.s())),
        ("several links", lambda: t.add.apply_async((1, 2), link=[t.add.s(1), t.echo.si("x")])),
        ("chain", lambda: chain(t.add.s(1, 2.0), t.add.s(3.0), t.echo.si("end")).apply_async()),
        ("group", lambda: group(t.add.s(1, 2), t.add.s(3, 4)).apply_async()),
        ("chord", lambda: chord([t.add.s(1, 2), t.add.s(3, 4)], t.tsum.s().on_error(t.on_error.s())).apply_async()),
        ("chain into group into task", lambda: (t.add.s(1, 2) | group(t.add.s(1), t.add.s(2.0)) | t.tsum.s()).apply_async()),
        ("map", lambda: t.tsum.map([(1, 2), (3, 4)]).apply_async()),
        ("starmap", lambda: t.add.starmap([(1, 2), (3, 4)]).apply_async()),
        ("chunks", lambda: t.add.chunks([(1, 2), (3, 4), (5, 6)], 2).apply_async()),
        ("msgpack", lambda: t.echo.apply_async(({"a": [1, 2.5, None, True, "ü", 2**40, -5, b"\xff"]},), serializer="msgpack")),
        ("yaml", lambda: t.echo.apply_async(({"a": [1, 2.5, None, True, "ü"]},), serializer="yaml")),
        ("pickle", lambda: t.echo.apply_async(("x",), serializer="pickle")),
        ("gzip", lambda: t.echo.apply_async(("x" * 300,), compression="gzip")),
        ("bzip2", lambda: t.echo.apply_async(("x" * 300,), compression="bzip2")),
        ("protocol 1", send_v1()),
        ("protocol 1 with all", send_v1(eta=when, expires=dt.datetime(2031, 1, 1), retries=2, time_limit=9, soft_time_limit=8, group_id="g-1", callbacks=[dict(t.add.s(1.0))])),
    ]


def _stamped(t):
    signature = t.add.si(1, 2)
    signature.stamp(tenant="acme", trace=["a", "b"])
    signature.apply_async()

"""A plain AMQP consumer without any framework, as somebody's own image may be: one message at a time, and on SIGTERM it ends what it runs."""
import json
import os
import signal
import socket
import time
from urllib.parse import unquote, urlsplit

import amqp

ledger = socket.create_connection((os.environ["LEDGER_HOST"], int(os.environ["LEDGER_PORT"])))
stopping = False


def write(**line):
    line = {"pod": os.environ["POD_NAME"], "at": round(time.time() * 1000), **line}
    ledger.sendall((json.dumps(line) + "\n").encode())


def stop(*_):
    global stopping
    stopping = True
    write(event="told")


signal.signal(signal.SIGTERM, stop)
write(event="hello")
url = urlsplit(os.environ["CELERY_BROKER_URL"])
connection = amqp.Connection(
    f"{url.hostname}:{url.port or 5672}", userid=unquote(url.username), password=unquote(url.password), virtual_host="/"
)
connection.connect()
channel = connection.channel()
cancelled = False


def cancel():
    global cancelled
    if not cancelled:
        cancelled = True
        channel.basic_cancel(tag)


def run(message):
    task = message.headers["id"]
    write(event="start", task=task, redelivered=message.delivery_info["redelivered"])
    ms = json.loads(message.body)[1]["ms"]
    if ms < 0:
        ledger.recv(1)  # until it says a word
    else:
        time.sleep(ms / 1000)
    write(event="end", task=task)
    if stopping:
        cancel()  # before the ack, or the broker would send one more
    channel.basic_ack(message.delivery_tag)


channel.basic_qos(0, 1, False)
tag = channel.basic_consume(os.environ["LONGSHORE_QUEUES"], callback=run)
while not stopping:
    try:
        connection.drain_events(timeout=0.2)
    except socket.timeout:
        pass
cancel()
connection.close()

"""Sends one order ten times, and waits for all ten answers."""
import os

from celery import Celery
from kombu import Queue

app = Celery("shop", broker=os.environ["CELERY_BROKER_URL"], backend=os.environ["CELERY_RESULT_BACKEND"])
app.conf.task_default_queue = "orders"
# The operator declares queues. Celery would declare it again, as a classic one, and RabbitMQ refuse that.
app.conf.task_queues = [Queue("orders", no_declare=True)]


def main():
    calls = [app.send_task("shop.process_order", kwargs={"order_id": "A-17", "amount": 25.0}) for _ in range(10)]
    return [call.get(timeout=60) for call in calls]


if __name__ == "__main__":
    print(main())

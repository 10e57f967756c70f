"""uvicorn app:api — POST /orders/A-17?amount=25 answers at once, GET /orders/<task id> says how it went."""
import os

from celery import Celery
from celery.result import AsyncResult
from fastapi import FastAPI
from kombu import Queue

celery = Celery("shop", broker=os.environ["CELERY_BROKER_URL"], backend=os.environ["CELERY_RESULT_BACKEND"])
# The operator declares queues. Celery would declare it again, as a classic one, and RabbitMQ refuse that.
celery.conf.task_queues = [Queue("orders", no_declare=True)]
api = FastAPI()


@api.post("/orders/{order_id}", status_code=202)
def order(order_id: str, amount: float):
    call = celery.send_task("shop.process_order", kwargs={"order_id": order_id, "amount": amount}, queue="orders")
    return {"task": call.id}


@api.get("/orders/{task}")
def outcome(task: str):
    result = AsyncResult(task, app=celery)
    return {"state": result.state, "result": result.result if result.successful() else None}

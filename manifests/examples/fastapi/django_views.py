"""Views of a Django project with Celery as its own guide says. In settings.py, beside CELERY_BROKER_URL and CELERY_RESULT_BACKEND:

    # The operator declares queues. Celery would declare it again, as a classic one, and RabbitMQ refuse that.
    CELERY_TASK_QUEUES = [Queue("orders", no_declare=True)]
"""
from celery import current_app
from django.db import transaction
from django.http import JsonResponse


def order(request, order_id):
    def send():
        current_app.send_task(
            "shop.process_order", kwargs={"order_id": order_id, "amount": float(request.POST["amount"])}, queue="orders"
        )

    # After the commit: a worker is faster than a transaction.
    transaction.on_commit(send)
    return JsonResponse({"order": order_id}, status=202)

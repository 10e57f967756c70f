# A Celery of the user's own, as a worker pool can run it. The tasks come with a volume or another layer.
FROM scratch
ADD rootfs.tar /
COPY packages /opt/celery
RUN groupadd --gid 65532 nonroot && useradd --uid 65532 --gid 65532 --create-home nonroot \
 && printf '#!/bin/sh\nexec python3 -m celery "$@"\n' > /usr/local/bin/celery && chmod 755 /usr/local/bin/celery
ENV PYTHONPATH=/opt/celery PYTHONUNBUFFERED=1 LANG=C.UTF-8
WORKDIR /home/nonroot
USER 65532:65532
CMD ["celery", "worker", "--loglevel=info"]

# Stands in for the official RabbitMQ image, which no registry here can be asked for: the same user, ports and variables
# (RABBITMQ_DEFAULT_USER, RABBITMQ_DEFAULT_PASS, RABBITMQ_ERLANG_COOKIE). For tests of the chart only.
FROM scratch
ADD rootfs.tar /
RUN groupmod --gid 999 rabbitmq && usermod --uid 999 rabbitmq \
 && printf 'loopback_users = none\nlog.console = true\nlog.file = false\n' > /etc/rabbitmq/rabbitmq.conf \
 && printf '[rabbitmq_management,rabbitmq_prometheus,rabbitmq_event_exchange,rabbitmq_consistent_hash_exchange].\n' > /etc/rabbitmq/enabled_plugins \
 && mkdir -p /var/lib/rabbitmq/mnesia /var/log/rabbitmq && chown -R rabbitmq:rabbitmq /var/lib/rabbitmq /var/log/rabbitmq /etc/rabbitmq
ENV HOME=/var/lib/rabbitmq PATH=/usr/lib/rabbitmq/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt none +sbwtdcpu none +sbwtdio none"
VOLUME /var/lib/rabbitmq
EXPOSE 4369 5672 15672 15692 25672
USER 999:999
CMD ["rabbitmq-server"]

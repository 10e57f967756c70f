# Stands in for the official Redis image: the same user, port and folder, and arguments that start with a dash go to redis-server.
# For tests of the chart only.
FROM scratch
ADD rootfs.tar /
RUN groupmod --gid 999 redis && usermod --uid 999 redis && mkdir /data && chown redis:redis /data \
 && printf '#!/bin/sh\ncase "$1" in -*|*.conf) set -- redis-server "$@";; esac\nexec "$@"\n' > /usr/local/bin/entrypoint && chmod 755 /usr/local/bin/entrypoint
WORKDIR /data
VOLUME /data
EXPOSE 6379
USER 999:999
ENTRYPOINT ["entrypoint"]
CMD ["redis-server", "--bind", "*", "--protected-mode", "no"]

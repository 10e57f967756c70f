# What the worker's and the operator's images are built on: a small Debian with Node, run by nobody in particular.
FROM scratch
ADD rootfs.tar /
COPY node /usr/local/bin/node
RUN groupadd --gid 65532 nonroot && useradd --uid 65532 --gid 65532 --create-home nonroot
ENV NODE_ENV=production
WORKDIR /home/nonroot
USER 65532:65532

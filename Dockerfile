# grantd in a container: nothing of a deployment and nothing secret in it. packaging/README.md says how to run it.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --locked --profile dist --package grantd-cli

# The same Debian as above, as the program uses its C library.
FROM debian:bookworm-slim
RUN groupadd --gid 10001 grantd \
    && useradd --uid 10001 --gid grantd --no-create-home --home-dir /var/lib/grantd --shell /usr/sbin/nologin grantd \
    && install --directory --owner=grantd --group=grantd --mode=0700 /var/lib/grantd
COPY --from=build --chmod=0755 /src/target/dist/grantd /usr/local/bin/grantd
USER 10001:10001
WORKDIR /var/lib/grantd
# Without TLS it listens beyond loopback only if told that a proxy does TLS (GRANTD_BEHIND_PROXY=true), and says so at start.
ENV GRANTD_DATA=/var/lib/grantd \
    GRANTD_LISTEN=0.0.0.0:7070 \
    GRANTD_LOG_FORMAT=json
VOLUME /var/lib/grantd
EXPOSE 7070
STOPSIGNAL SIGTERM
# Whether it runs, not whether it is level with its store: a restart does not bring a database back.
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 CMD ["grantd", "ready", "--alive"]
ENTRYPOINT ["grantd"]
CMD ["serve"]

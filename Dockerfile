# Omnivoice, whole: the supervisor, the control process and the media nodes of one host.
FROM node:24-slim

# The supervisor is made to be the first process of its container: it forwards signals, reaps and restarts its children.
ENV NODE_ENV=production \
    OMNIVOICE_HOST=0.0.0.0 \
    OMNIVOICE_DATA_DIR=/var/lib/omnivoice

WORKDIR /opt/omnivoice
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY bin ./bin
COPY src ./src
COPY regions ./regions
COPY samples ./samples
COPY LICENSE README.md ./
RUN mkdir -p /var/lib/omnivoice && chown node:node /var/lib/omnivoice && chmod 700 /var/lib/omnivoice

USER node
VOLUME /var/lib/omnivoice
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.OMNIVOICE_PORT ?? 8080) + '/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "bin/omnivoice.js", "serve"]

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
# Node n also listens on 8082 + n: map those where native legs may come back and OMNIVOICE_MEDIA_URL is not set.
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
# With TLS where the outside needs it; control may be away for a moment while calls go on.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=6 \
  CMD ["node", "-e", "const { OMNIVOICE_PORT: port = 8080, OMNIVOICE_TLS_CERT: tls } = process.env; require(tls ? 'https' : 'http').get({ host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false }, (r) => process.exit(r.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
CMD ["node", "bin/omnivoice.js", "serve"]

# docker build -t webimgui-backend .
# docker run -p 8000:8000 webimgui-backend
#
# Behind a registry of your own: --build-arg NODE_IMAGE=… for the base, --build-arg NPM_CONFIG_REGISTRY=… for packages.
ARG NODE_IMAGE=node:24-slim

FROM ${NODE_IMAGE} AS manifests
WORKDIR /build
# Apart from the sources, so that packages are fetched anew only when these change.
COPY package.json package-lock.json .npmrc ./
COPY tools/node-runtime/package.json tools/node-runtime/

# The Node.js of the base is used, so that of tools/node-runtime is left out.
FROM manifests AS production
ARG NPM_CONFIG_REGISTRY
RUN npm ci --omit=dev --ignore-scripts --workspaces=false

FROM manifests AS build
ARG NPM_CONFIG_REGISTRY
RUN npm ci --ignore-scripts --workspaces=false
COPY . .
# What the package for npm holds is what the image holds.
RUN npm pack --pack-destination /tmp && mkdir /app && tar -xzf /tmp/webimgui-*.tgz -C /app --strip-components=1

FROM ${NODE_IMAGE}
COPY --from=build /app /app
COPY --from=production /build/node_modules /app/node_modules
COPY packages/docker/webimgui.mjs packages/docker/healthy.mjs packages/docker/warm-up.mjs /app/packages/docker/
# Only these two folders belong to the user that the program runs as.
RUN ln -s /app/packages/docker/webimgui.mjs /usr/local/bin/webimgui \
  && install -d -o node -g node -m 700 /data \
  && install -d -o node -g node /app/dist/server/compiled
# The variables of glibc are those of tools/allocator.mjs, which does not need to begin anew then.
ENV NODE_ENV=production MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=65536 MALLOC_TRIM_THRESHOLD_=131072
USER node
# An image that makes no picture is not built. What is compiled is kept, because a root file system may be read-only later.
RUN node /app/packages/docker/warm-up.mjs
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=2m CMD ["node", "/app/packages/docker/healthy.mjs"]
ENTRYPOINT ["webimgui"]
CMD ["start"]

/**
 * Owns: the page that a citizen sees.
 * Does not own: signing her in (the login proxy in front), her data (application-api).
 * Request path: login proxy -> app.ts -> validateIdportenToken and requestTokenxOboToken (SDK) -> application-api.
 * Spec: the manifest beside it, app.yaml.
 */
import { serve } from "@hono/node-server";
import { passOnTraces } from "@portvakt/example-look";
import { createApp } from "./app.ts";

passOnTraces();
const { env } = process;
const app = createApp({
  applicationApi: {
    url: env["APPLICATION_API_URL"] ?? "http://application-api",
    id: `${env["NAIS_CLUSTER_NAME"]}:benefits:application-api`,
  },
  now: () => Date.now() / 1000,
});

// in a container every interface, so that the pod's other containers and the cluster reach it
const server = serve({
  fetch: app.fetch,
  port: Number(env["PORT"] ?? 8080),
  hostname: env["HOST"] ?? "0.0.0.0",
});
process.once("SIGTERM", () => server.close());

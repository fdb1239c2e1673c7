/**
 * Owns: attempts to get at what is none of its business.
 * Does not own: anything else: nobody admits it.
 * Request path: app.ts -> attempts.ts -> SDK and the APIs, every one of which refuses.
 * Spec: the manifest beside it, app.yaml.
 */
import { serve } from "@hono/node-server";
import { createApp } from "./app.ts";

const { env } = process;
const app = createApp({
  cluster: env["NAIS_CLUSTER_NAME"] ?? "local",
  applicationApi: env["APPLICATION_API_URL"] ?? "http://application-api.benefits",
  caseApi: env["CASE_API_URL"] ?? "http://case-api.benefits",
  taxAuthority: env["TAX_AUTHORITY_URL"] ?? "https://api.tax-authority.example",
  now: () => Date.now() / 1000,
});

// in a container every interface, so that the pod's other containers and the cluster reach it
const server = serve({
  fetch: app.fetch,
  port: Number(env["PORT"] ?? 8080),
  hostname: env["HOST"] ?? "0.0.0.0",
});
process.once("SIGTERM", () => server.close());

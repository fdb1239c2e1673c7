/**
 * Owns: paying what was approved: on demand, and every quarter of an hour.
 * Does not own: the cases (case-api), the tax (tax-authority).
 * Request path: app.ts -> run.ts -> requestAzureClientCredentialsToken, requestMaskinportenToken (SDK) -> the APIs.
 * Spec: the manifest beside it, app.yaml.
 */
import { serve } from "@hono/node-server";
import { createApp } from "./app.ts";

const { env } = process;
const app = createApp({
  caseApi: {
    url: env["CASE_API_URL"] ?? "http://case-api",
    id: `${env["NAIS_CLUSTER_NAME"]}:benefits:case-api`,
  },
  taxAuthority: { url: env["TAX_AUTHORITY_URL"] ?? "https://api.tax-authority.example" },
  now: () => Date.now() / 1000,
});

// in a container every interface, so that the pod's other containers and the cluster reach it
const server = serve({
  fetch: app.fetch,
  port: Number(env["PORT"] ?? 8080),
  hostname: env["HOST"] ?? "0.0.0.0",
});
process.once("SIGTERM", () => server.close());

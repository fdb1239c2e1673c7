/**
 * Owns: citizens' applications for benefits.
 * Does not own: what citizens earned: it asks income-register, on behalf of the citizen.
 * Request path: app.ts -> requireToken (SDK) -> requestTokenxOboToken (SDK) -> income-register.
 * Spec: the manifest beside it, app.yaml.
 */
import { serve } from "@hono/node-server";
import { passOnTraces } from "@portvakt/example-look";
import { createApp } from "./app.ts";

passOnTraces();
const { env } = process;
const app = createApp({
  incomeRegister: {
    url: env["INCOME_REGISTER_URL"] ?? "http://income-register",
    id: `${env["NAIS_CLUSTER_NAME"]}:benefits:income-register`,
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

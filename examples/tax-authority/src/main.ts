/**
 * Owns: tax assessments, for organisations that were admitted. Another organisation's API, as far as the agency is concerned.
 * Does not own: anything of the benefits agency.
 * Request path: app.ts -> requireToken (SDK; a scope, for Maskinporten's tokens name no audience) -> the assessments.
 * Spec: the manifest beside it, app.yaml.
 */
import { serve } from "@hono/node-server";
import { createApp } from "./app.ts";

const { env } = process;
const app = createApp({
  now: () => Date.now() / 1000,
});

// in a container every interface, so that the pod's other containers and the cluster reach it
const server = serve({
  fetch: app.fetch,
  port: Number(env["PORT"] ?? 8080),
  hostname: env["HOST"] ?? "0.0.0.0",
});
process.once("SIGTERM", () => server.close());

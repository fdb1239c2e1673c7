import {
  documentHandler,
  jwksHandler,
  metadataDocument,
  toProtocolError,
  writeProtocolError,
} from "@portvakt/issuer";
import type { SigningKeys } from "@portvakt/issuer";
import { grantTypes, signatureAlgorithms } from "@portvakt/oauth";
import type { SignatureAlgorithm } from "@portvakt/oauth";
import type { Logger, Metrics } from "@portvakt/runtime/observe";
import type { Readiness } from "@portvakt/runtime/process";
import { Hono } from "hono";
import { accessMetadata } from "./access.ts";
import type { AccessEndpoints } from "./access.ts";
import type { RegistrationEndpoint } from "./registration/endpoint.ts";

export interface AppParts {
  readonly issuer: string;
  readonly keys: SigningKeys;
  readonly assertionAlgorithms: readonly SignatureAlgorithm[];
  readonly token: (request: Request) => Promise<Response>;
  readonly introspect: (request: Request) => Promise<Response>;
  readonly revoke: (request: Request) => Promise<Response>;
  readonly backChannelLogout: (request: Request) => Promise<Response>;
  readonly registration: RegistrationEndpoint;
  readonly access: AccessEndpoints;
  readonly ready: () => Promise<Readiness>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export interface App {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly routes: readonly string[];
}

/** Routes that are asked all day by machines. */
export const probes: readonly string[] = ["/internal/isalive", "/internal/isready", "/internal/metrics"];

/** The routes of TokenX, as one fetch handler and by their templates. */
export function createApp(parts: AppParts): App {
  const app = new Hono();
  const metadata = documentHandler(() => metadataOf(parts));
  app.get("/.well-known/oauth-authorization-server", metadata);
  app.get(
    "/jwks",
    jwksHandler(() => parts.keys.jwks()),
  );
  app.all("/token", (context) => parts.token(context.req.raw));
  app.all("/introspect", (context) => parts.introspect(context.req.raw));
  app.all("/revoke", (context) => parts.revoke(context.req.raw));
  app.post("/backchannel-logout", (context) => parts.backChannelLogout(context.req.raw));
  app.post("/registration/client", (context) => parts.registration.create(context.req.raw));
  app.get("/registration/client", (context) => parts.registration.list(context.req.raw));
  app.get("/registration/client/:id", (context) =>
    parts.registration.read(context.req.raw, context.req.param("id")),
  );
  app.delete("/registration/client/:id", (context) =>
    parts.registration.remove(context.req.raw, context.req.param("id")),
  );
  app.get(
    "/.well-known/authzen-configuration",
    documentHandler(() => accessMetadata(parts.issuer)),
  );
  app.post("/access/v1/evaluation", (context) => parts.access.evaluate(context.req.raw));
  app.post("/access/v1/evaluations", (context) => parts.access.evaluateMany(context.req.raw));
  app.get("/decisions", (context) => parts.access.recent(context.req.raw));
  app.get("/decisions/:id", (context) => parts.access.explain(context.req.raw, context.req.param("id")));
  app.get("/internal/isalive", () => new Response("ALIVE"));
  app.get("/internal/isready", async () => {
    const state = await parts.ready();
    return Response.json(state, {
      status: state.ready ? 200 : 503,
      headers: { "cache-control": "no-store" },
    });
  });
  app.get("/internal/metrics", async (context) => {
    const headers = { "content-type": parts.metrics.contentType };
    const names = context.req.queries("name[]") ?? [];
    return new Response(metricsNamed(await parts.metrics.render(), names), { headers });
  });
  app.notFound(() => Response.json({ error: "not_found" }, { status: 404 }));
  app.onError((thrown, context) => writeFailure(thrown, context.req.raw, parts.log));
  return { fetch: (request) => app.fetch(request), routes: app.routes.map(({ path }) => path) };
}

/** Metrics as text, of these names only when there are any. Each begins with what it is for. */
function metricsNamed(text: string, names: readonly string[]): string {
  if (names.length === 0) return text;
  const metrics = text.split(/^(?=# HELP )/m);
  return metrics.filter((metric) => names.includes(metric.split(" ", 3)[2] ?? "")).join("");
}

/** RFC 8414. There is no authorization endpoint, and so none is named. */
function metadataOf(parts: AppParts): Record<string, unknown> {
  return metadataDocument({
    issuer: parts.issuer,
    endpoints: {
      token: "/token",
      introspection: "/introspect",
      revocation: "/revoke",
      registration: "/registration/client",
    },
    jwksUri: "/jwks",
    grantTypes: [grantTypes.tokenExchange],
    authMethods: ["private_key_jwt"],
    authAlgorithms: parts.assertionAlgorithms,
    more: {
      ...Object.fromEntries(
        ["introspection", "revocation"].flatMap((name) => clientAuthentication(name, parts)),
      ),
      dpop_signing_alg_values_supported: Object.keys(signatureAlgorithms),
      response_types_supported: [],
      subject_types_supported: ["public"],
    },
  });
}

/** Clients authenticate at every endpoint as they do at the token endpoint. */
function clientAuthentication(endpoint: string, parts: AppParts): [string, readonly string[]][] {
  return [
    [`${endpoint}_endpoint_auth_methods_supported`, ["private_key_jwt"]],
    [`${endpoint}_endpoint_auth_signing_alg_values_supported`, parts.assertionAlgorithms],
  ];
}

/** What an endpoint throws. Of a fault nothing is in the answer. */
function writeFailure(thrown: unknown, request: Request, log: Logger): Response {
  const error = toProtocolError(thrown);
  if (error.status >= 500) log.error({ err: thrown }, "request failed");
  const response = writeProtocolError(error, request);
  if (error.error === "invalid_token")
    response.headers.set("www-authenticate", 'Bearer realm="BEARER_AUTH", error="invalid_token"');
  return response;
}

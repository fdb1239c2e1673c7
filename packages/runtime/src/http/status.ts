// The status listener of every server process: liveness, readiness, metrics, on an address of its own.
import type { Logger, Metrics } from "../observe/index.ts";
import { serve } from "./serve.ts";
import type { HttpServer } from "./serve.ts";

export interface ReadinessCheck {
  readonly ok: boolean;
  readonly detail?: string;
}

/** Whether a process should get traffic, and what that depends on, by name. Details are read by operators: no secrets. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
}

export interface StatusOptions {
  readonly address: { readonly host: string; readonly port: number };
  readonly ready: () => Readiness | Promise<Readiness>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

async function readiness(options: StatusOptions): Promise<Response> {
  let state: Readiness;
  try {
    state = await options.ready();
  } catch (error) {
    options.log.warn({ err: error }, "readiness check failed");
    state = { ready: false, checks: {} };
  }
  return Response.json(state, { status: state.ready ? 200 : 503, headers: { "cache-control": "no-store" } });
}

/** Serves /healthz and / (200 while the process lives), /readyz (200 or 503 with the checks) and /metrics. */
export function serveStatus(options: StatusOptions): Promise<HttpServer> {
  const alive = (): Response => new Response("ok\n", { headers: { "content-type": "text/plain" } });
  const routes: Readonly<Record<string, () => Response | Promise<Response>>> = {
    "/healthz": alive,
    // Probes that were set up for the token sidecar that this one replaces may ask here.
    "/": alive,
    "/readyz": () => readiness(options),
    "/metrics": async () =>
      new Response(await options.metrics.render(), {
        headers: { "content-type": options.metrics.contentType },
      }),
  };
  const fetch = (request: Request): Response | Promise<Response> => {
    const { pathname } = new URL(request.url);
    const route = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined;
    if (route === undefined) return new Response("not found\n", { status: 404 });
    if (request.method !== "GET" && request.method !== "HEAD")
      return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
    return route();
  };
  return serve({ fetch, address: options.address, log: options.log });
}

import { problem, serve, type HttpServer } from "@portvakt/runtime/http";
import type { Tools } from "@portvakt/runtime/process";
import { createApp, tracedRoutes, type AppOptions, type RouteTable } from "../app.ts";
import { questionPath } from "../endpoints/forward-auth.ts";
import type { Proxy } from "../proxy/proxy.ts";
import { answerSocket } from "../proxy/upgrade.ts";
import { isUnder } from "../request/ingress.ts";
import { named } from "../settings/names.ts";
import type { LoginSettings } from "../settings/settings.ts";
import { writeResponse } from "../write.ts";

/** Where a proxy in front asks, if not where browsers come; and what is answered to browsers then. */
export interface Questions {
  readonly routes: RouteTable;
  readonly addresses: Readonly<Record<string, string>>;
  readonly close: HttpServer["close"];
}

type Settings = Pick<LoginSettings, "forwardAuth" | "forwardAuthSetHeaders" | "forwardAuthAddress">;

/**
 * Opens the address for the questions of forward-auth, where there is one. A question looks like the browser's request that it is
 * about, so only the way it comes by can tell it from a script that asks for its own tokens.
 */
export async function openQuestions(
  settings: Settings,
  options: Omit<AppOptions, "proxy">,
  tools: Tools,
): Promise<Questions> {
  const { forwardAuth, forwardAuthSetHeaders, forwardAuthAddress: address } = settings;
  const { ingresses, log, routes, trusted } = options;
  const [name] = named("SESSION_FORWARD_AUTH_BIND_ADDRESS", "");
  if (forwardAuth && forwardAuthSetHeaders && address === undefined)
    log.warn(
      `${name} is not set: forward-auth answers with tokens where browsers come, so the proxy in front must refuse /oauth2/session/forwardauth from outside`,
    );
  if (!forwardAuth && address !== undefined) log.warn(`${name} has no effect: forward-auth is off`);
  if (!forwardAuth || address === undefined) return { routes, addresses: {}, close: async () => {} };
  const asked = [...routes].filter(([path]) => isUnder(path, questionPath));
  const app = createApp({ ...options, routes: new Map(asked), proxy: nothingElse });
  const server = await serve({
    listener: app.listener,
    address,
    log,
    metrics: tools.metrics,
    stopping: tools.stopping,
    traces: { ...tracedRoutes(ingresses, new Map(asked)), trusts: trusted },
  });
  return {
    routes: new Map([...routes].filter(([path]) => !isUnder(path, questionPath))),
    addresses: { forwardAuth: server.url },
    close: server.close,
  };
}

const notFound = (): Response => problem(404, { title: "Not found" });

/** What is behind that address besides the questions. */
const nothingElse: Proxy = {
  request: ({ request }, response) => writeResponse(response, notFound(), request.method),
  upgrade: (_, socket) => answerSocket(socket, notFound()),
};

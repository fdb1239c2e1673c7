import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { problem } from "@portvakt/runtime/http";
import type { Logger, RequestTraces } from "@portvakt/runtime/observe";
import type { Passage } from "./proxy/passage.ts";
import type { TrustedPeers } from "./proxy/peers.ts";
import type { Proxy } from "./proxy/proxy.ts";
import { passesUpgrade } from "./proxy/upgrade.ts";
import { answerCors, type CorsRule, type Origins } from "./request/cors.ts";
import { judgeCrossSite, isSafe } from "./request/csrf.ts";
import { isUnder, matchIngress, type Ingress } from "./request/ingress.ts";
import { mayInteract } from "./request/navigation.ts";
import { readTarget, type RequestPath } from "./request/path.ts";
import { readVisit, type Endpoint, type Visit } from "./visit.ts";
import { writeResponse } from "./write.ts";

/** One endpoint of ours, with the rules that stand before it. */
export interface Route {
  readonly methods: readonly string[] | "any";
  /** Also serves every path below its own. */
  readonly below?: true;
  /** Only for people: background calls get 401. */
  readonly navigate?: true;
  /** Refused when another site's page sent it. */
  readonly csrf?: true;
  /** Pages of other origins that may read the answer. */
  readonly cors?: CorsRule;
  readonly endpoint: Endpoint;
}

/** Endpoints by their path below `<ingress>/oauth2`. */
export type RouteTable = ReadonlyMap<string, Route>;

export interface AppOptions {
  readonly routes: RouteTable;
  readonly proxy: Proxy;
  readonly ingresses: readonly Ingress[];
  readonly allowedOrigins: Origins;
  readonly trusted: TrustedPeers;
  readonly log: Logger;
}

export interface App {
  /** Whether a request goes to `upgrade`; all others, those for endpoints of ours among them, are ordinary requests. */
  readonly isUpgrade: (request: IncomingMessage) => boolean;
  readonly listener: (request: IncomingMessage, response: ServerResponse) => void;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** The front door: endpoints of ours under `<ingress>/oauth2`, everything else to the proxy. */
export function createApp(options: AppOptions): App {
  const { ingresses, log, proxy, trusted } = options;
  const isOurs = (path: string): boolean =>
    ingresses.some(
      ({ prefix }) =>
        path.startsWith("/oauth2", prefix.length) &&
        path.startsWith(prefix) &&
        endsSegment(path, prefix.length + 7),
    );

  const passage = (request: IncomingMessage, target: RequestPath, upgrade: boolean): Passage => ({
    request,
    target,
    ingress: matchIngress(ingresses, hostOf(request, trusted), target.path),
    correlationId: correlationOf(request),
    upgrade,
  });
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const target = targetOf(request);
    if (target === undefined) {
      const correlation_id = correlationOf(request);
      log.info({ correlation_id }, "a request that can be read in more than one way was refused");
      // RFC 9112 section 6.1: what comes behind it on this connection may not be what it seems.
      const refusal = problem(400, { title: "Bad request", correlation_id }, { connection: "close" });
      return writeResponse(response, refusal, request.method);
    }
    const asked = passage(request, target, false);
    if (!isOurs(target.path)) return proxy.request(asked, response);
    const answer = await answerEndpoint(options, asked);
    forbidCaching(answer);
    if (answer.status >= 400)
      log.info({ status: answer.status, correlation_id: asked.correlationId }, "an endpoint of ours refused");
    return writeResponse(response, answer, request.method);
  };
  return {
    isUpgrade: (request) => {
      const target = targetOf(request);
      return target !== undefined && !isOurs(target.path) && passesUpgrade(request);
    },
    listener: (request, response) => {
      serve(request, response).catch((error: unknown) => {
        log.error({ err: error }, "request failed");
        void writeResponse(response, problem(500, { title: "Internal error" }), request.method);
      });
    },
    upgrade: (request, socket, head) => {
      // Until the connections are joined nobody else listens, and an unheard error would end the process.
      socket.on("error", () => socket.destroy());
      const target = targetOf(request);
      if (target === undefined) {
        socket.destroy();
        return;
      }
      proxy.upgrade(passage(request, target, true), socket, head).catch((error: unknown) => {
        log.error({ err: error }, "upgrade failed");
        socket.destroy();
      });
    },
  };
}

async function answerEndpoint(
  options: AppOptions,
  { request, target, ingress, correlationId }: Passage,
): Promise<Response> {
  const method = request.method ?? "GET";
  if (isSafe(method) && options.ingresses.some(({ prefix }) => target.path === `${prefix}/oauth2/ping`))
    return new Response("pong", { headers: { "content-type": "text/plain" } });
  if (ingress === undefined) {
    const detail = "The request's host is none of the declared ingresses.";
    return problem(400, { title: "Unknown ingress", detail, correlation_id: correlationId });
  }
  const visit = readVisit(request, target, ingress, correlationId);
  const route = findRoute(options.routes, visit.path);
  if (route === undefined) return problem(404, { title: "Not found" });
  const answer = (): Promise<Response> | Response => serveRoute(route, visit, options.allowedOrigins);
  return route.cors === undefined ? answer() : answerCors(visit, route.cors, answer);
}

function serveRoute(route: Route, visit: Visit, allowed: Origins): Promise<Response> | Response {
  if (route.methods !== "any" && !route.methods.includes(visit.method))
    return problem(405, { title: "Method not allowed" }, { allow: route.methods.join(", ") });
  return refuseByRule(route, visit, allowed) ?? route.endpoint(visit);
}

/** The routes as traces name them: ours below each ingress, and one name for all that goes to the application. */
export function tracedRoutes(
  ingresses: readonly Ingress[],
  routes: RouteTable,
): Pick<RequestTraces, "routes" | "silent"> {
  const below = (path: string): readonly string[] => ingresses.map(({ prefix }) => `${prefix}/oauth2${path}`);
  const ours = [...routes].flatMap(([path, { below: open }]) => below(open === true ? `${path}/*` : path));
  return { routes: [...ours, "/*"], silent: below("/ping") };
}

function findRoute(routes: RouteTable, path: string): Route | undefined {
  const exact = routes.get(path);
  if (exact !== undefined) return exact;
  for (const [at, route] of routes) if (route.below === true && isUnder(path, at)) return route;
  return undefined;
}

function refuseByRule(route: Route, visit: Visit, allowed: Origins): Response | undefined {
  if (route.navigate === true && !mayInteract(visit.method, visit.headers)) {
    const body = {
      error: "unauthenticated",
      error_description: "this is an interactive endpoint; user-agents must be navigated to this endpoint",
      error_path: `${visit.ingress.prefix}/oauth2${visit.path}`,
    };
    return Response.json(body, { status: 401 });
  }
  if (route.csrf !== true) return undefined;
  // A safe method without any of the headers is a link or a program, neither of which another site's script can forge.
  const silent = visit.headers["sec-fetch-site"] === undefined && visit.headers.origin === undefined;
  if (isSafe(visit.method) && silent) return undefined;
  const refusal = judgeCrossSite(visit.headers, visit.ingress.origin, allowed);
  return refusal === undefined
    ? undefined
    : problem(403, { title: "Cross-site request refused", detail: `Refused, because ${refusal}.` });
}

/** What a request is for; undefined where it can be read in more than one way, or is none for an application. */
function targetOf(request: IncomingMessage): RequestPath | undefined {
  const { method, rawHeaders, url } = request;
  if (method === "TRACE" || method === "CONNECT" || hasTwoHosts(rawHeaders)) return undefined;
  return isOddlyFramed(request) || isNoHost(request.headers.host) ? undefined : readTarget(url);
}

/** RFC 9112 section 6.1: HTTP/1.0 knows no chunks. Of the codings that a message can be sent in we take no other than those. */
function isOddlyFramed({ headers, httpVersion }: IncomingMessage): boolean {
  const coding = headers["transfer-encoding"];
  return coding !== undefined && (httpVersion !== "1.1" || coding.toLowerCase() !== "chunked");
}

/** RFC 9112 section 3.2, RFC 9110 section 7.2: what is there must be a host, with a port or without. HTTP/1.0 may leave it out. */
function isNoHost(host: string | undefined): boolean {
  return host !== undefined && !/^(?:[\w.~-]+|\[[\d.:a-f]+\])(?::\d{0,5})?$/i.test(host);
}

/** RFC 9112 section 3.2: more than one Host is an error; two servers might each believe another one. */
function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (name.length === 4 && name.toLowerCase() === "host") hosts++;
  }
  return hosts > 1;
}

function endsSegment(path: string, at: number): boolean {
  return path.length === at || path.charCodeAt(at) === 47;
}

function hostOf(request: IncomingMessage, trusted: TrustedPeers): string | undefined {
  const forwarded = request.headers["x-forwarded-host"];
  if (typeof forwarded === "string" && trusted(request.socket.remoteAddress))
    return forwarded.split(",")[0]?.trim();
  return request.headers.host;
}

function correlationOf(request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  if (typeof given === "string" && /^(?!ey)[A-Za-z0-9._-]{1,64}$/.test(given)) return given;
  requests += 1;
  return `${processId}-${requests.toString(36)}`;
}

/** A correlation id tells requests apart and guards nothing: random once for the process, then counted. */
const processId = randomUUID();
let requests = 0;

function forbidCaching(answer: Response): void {
  answer.headers.set("cache-control", "no-store");
  answer.headers.set("pragma", "no-cache");
  answer.headers.set("expires", "0");
  answer.headers.set("x-accel-expires", "0");
}

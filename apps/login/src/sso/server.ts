import { problem } from "@portvakt/runtime/http";
import type { Route, RouteTable } from "../app.ts";
import type { Passage } from "../proxy/passage.ts";
import type { Proxy } from "../proxy/proxy.ts";
import { answerSocket } from "../proxy/upgrade.ts";
import type { Origins } from "../request/cors.ts";
import { writeResponse } from "../write.ts";

/** What a server of a single sign-on has in an application's place: its root begins a sign-in, all else leads to `home`. */
export function serverFront(home: string): Proxy {
  return {
    request: ({ request, ingress, target }, response) => {
      const { method } = request;
      const isRoot = ingress !== undefined && target.path === `${ingress.prefix}/`;
      const location =
        isRoot && (method === "GET" || method === "HEAD") ? `${ingress.prefix}/oauth2/login` : home;
      const headers = { location, "cache-control": "no-store" };
      return writeResponse(response, new Response(null, { status: 302, headers }), method);
    },
    upgrade: async ({ correlationId }: Passage, socket) =>
      answerSocket(socket, problem(404, { title: "Not found", correlation_id: correlationId })),
  };
}

const read = ["GET", "HEAD"];
const session = ["GET", "POST"];
const methodsByPath: Readonly<Record<string, readonly string[]>> = {
  "/login": read,
  "/logout": read,
  "/logout/local": read,
  "/session": session,
  "/session/refresh": session,
  "/session/forwardauth": session,
};

/** Lets pages of the domain's applications ask the server for what they would ask their own proxy. */
export function openToDomain(routes: RouteTable, origins: Origins): RouteTable {
  const opened = [...routes].map(([path, route]): [string, Route] => {
    const methods = methodsByPath[path];
    return [path, methods === undefined ? route : { ...route, cors: { origins, methods } }];
  });
  return new Map(opened);
}

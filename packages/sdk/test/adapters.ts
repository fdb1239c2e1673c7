import { createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { callerOf, requireToken as requireForExpress } from "../src/middleware/express.ts";
import { callerOf as callerOfFastify, requireToken as requireForFastify } from "../src/middleware/fastify.ts";
import { requireToken as requireForFetch } from "../src/middleware/fetch.ts";
import { requireToken as requireForHono } from "../src/middleware/hono.ts";
import type { TokenVariables } from "../src/middleware/hono.ts";
import type { RequireOptions } from "../src/middleware/judge.ts";
import { callerOf as callerOfKoa, requireToken as requireForKoa } from "../src/middleware/koa.ts";
import { requireToken as requireForNode } from "../src/middleware/node.ts";

/** What a caller gets. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}
export type Ask = (headers: Record<string, string | string[]>) => Promise<Answer>;

/** Sends over a real socket, so that a header may come twice. */
export async function overSocket(
  listener: Parameters<typeof createServer>[1],
  headers: Record<string, string | string[]>,
): Promise<Answer> {
  const server = createServer(listener as Parameters<typeof createServer>[0]);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const { port } = server.address() as AddressInfo;
      send({ host: "127.0.0.1", port, headers, agent: false }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("end", () => {
          const pairs = Object.entries(response.headers).map(([k, v]) => [k, String(v)] as [string, string]);
          resolve({ status: response.statusCode ?? 0, headers: new Headers(pairs), text });
        });
      })
        .on("error", reject)
        .end();
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

const asHeaders = (headers: Record<string, string | string[]>): Headers =>
  new Headers(
    Object.entries(headers).flatMap(([k, v]) => [v].flat().map((one) => [k, one] as [string, string])),
  );
const read = async (response: Response): Promise<Answer> => ({
  status: response.status,
  headers: response.headers,
  text: await response.text(),
});

/** The same routes behind each adapter; the handler answers with the calling application. */
export const adapters: Record<string, (options: RequireOptions) => Ask> = {
  fetch: (options) => async (headers) => {
    const handler = requireForFetch(options)((_request, caller) => new Response(caller.client));
    return read(await handler(new Request("http://api/", { headers: asHeaders(headers) })));
  },
  hono: (options) => async (headers) => {
    const app = new Hono<{ Variables: TokenVariables }>();
    app.use(requireForHono(options));
    app.get("/", (c) => c.text(c.get("caller").client ?? ""));
    return read(await app.request("/", { headers: asHeaders(headers) }));
  },
  node: (options) => (headers) =>
    overSocket(
      requireForNode(options)((_request, response, caller) => response.end(caller.client)),
      headers,
    ),
  express: (options) => (headers) => {
    const app = express();
    app.use(requireForExpress(options));
    app.get("/", (request, response) => void response.end(callerOf(request).client));
    return overSocket(app, headers);
  },
  koa: (options) => (headers) => {
    const app = new Koa();
    app.use(requireForKoa(options));
    app.use((context) => {
      context.body = callerOfKoa(context).client;
    });
    return overSocket(app.callback(), headers);
  },
  fastify: (options) => async (headers) => {
    const app = Fastify();
    app.get(
      "/",
      { onRequest: requireForFastify(options) },
      async (request) => callerOfFastify(request).client,
    );
    await app.ready();
    return overSocket((request, response) => app.routing(request, response), headers);
  },
};

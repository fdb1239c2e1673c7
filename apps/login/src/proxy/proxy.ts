import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { problem } from "@portvakt/runtime/http";
import type { CounterMetric, Logger } from "@portvakt/runtime/observe";
import { errorPage } from "../pages/page.ts";
import { withoutOwnCookies } from "../request/cookie-header.ts";
import { isNavigation } from "../request/navigation.ts";
import type { Session } from "../session/model.ts";
import { writeResponse } from "../write.ts";
import { forward, type Upstream } from "./forward.ts";
import type { Gate, Passage } from "./gate.ts";
import { upstreamHeaders } from "./headers.ts";
import type { TrustedPeers } from "./peers.ts";
import { answerSocket, forwardUpgrade } from "./upgrade.ts";

export interface ProxyOptions {
  readonly gate: Gate;
  readonly upstream: Upstream;
  readonly upstreamCa: string | undefined;
  readonly isOwnCookie: (name: string) => boolean;
  readonly trusted: TrustedPeers;
  readonly includeIdToken: boolean;
  /** Whether the client's own `Authorization` reaches the application when there is no session. */
  readonly passAuthorization: boolean;
  /** Whether every request that is passed on is logged. */
  readonly accessLog: boolean;
  readonly live: LiveConnections;
  readonly log: Logger;
  readonly answers: CounterMetric;
}

/** Long-lived connections of sessions, which end when their session does. */
export interface LiveConnections {
  /** Remembers a joined pair of a session's; forgets it when it closes. */
  addSocket(sessionId: string, client: Duplex, upstream: Duplex): void;
  /** Remembers an answer that may go on for ever. */
  addStream(sessionId: string, response: ServerResponse): void;
}

export interface Proxy {
  request(passage: Passage, response: ServerResponse): Promise<void>;
  upgrade(passage: Passage, socket: Duplex, head: Buffer): Promise<void>;
}

/** Everything that is not one of our endpoints: through the gate, then to the application. */
export function createProxy(options: ProxyOptions): Proxy {
  const strip = (header: string): string => withoutOwnCookies(header, options.isOwnCookie);
  const headersFor = (passage: Passage, session: Session | undefined): string[] | undefined =>
    upstreamHeaders(passage.request, {
      accessToken: session?.tokens.accessToken,
      idToken: options.includeIdToken ? session?.tokens.idToken : undefined,
      passAuthorization: options.passAuthorization,
      trustedPeer: options.trusted(passage.request.socket.remoteAddress),
      scheme: passage.ingress?.secure === true ? "https" : "http",
      correlationId: passage.correlationId,
      stripCookies: strip,
    });
  const count = (why: string): void => options.answers.inc({ why });

  return {
    async request(passage, response) {
      const verdict = await options.gate(passage);
      if (verdict.kind === "answer") {
        count(verdict.why);
        return writeResponse(response, verdict.response, passage.request.method);
      }
      const headers = headersFor(passage, verdict.session);
      if (headers === undefined)
        return writeResponse(response, ambiguousFraming(passage), passage.request.method);
      if (options.accessLog)
        options.log.info(
          {
            method: passage.request.method,
            session: verdict.session !== undefined,
            correlation_id: passage.correlationId,
          },
          "passed on",
        );
      forward(passage.request, response, {
        upstream: options.upstream,
        path: passage.target.path + passage.target.search,
        headers,
        isOwnCookie: options.isOwnCookie,
        onEventStream: () => {
          if (verdict.session !== undefined) options.live.addStream(verdict.session.id, response);
        },
        onUnreachable: (error) => {
          options.log.warn(
            { err: error, correlation_id: passage.correlationId },
            "the application did not answer",
          );
          count("bad_gateway");
          void writeResponse(response, badGateway(passage), passage.request.method);
        },
      });
    },
    async upgrade(passage, socket, head) {
      const verdict = await options.gate(passage);
      const headers = verdict.kind === "pass" ? headersFor(passage, verdict.session) : undefined;
      if (verdict.kind === "answer" || headers === undefined) {
        const response = verdict.kind === "answer" ? verdict.response : ambiguousFraming(passage);
        return answerSocket(socket, response);
      }
      forwardUpgrade(passage.request, socket, head, {
        origin: options.upstream.origin,
        ca: options.upstreamCa,
        path: passage.target.path + passage.target.search,
        headers,
        isOwnCookie: options.isOwnCookie,
        onUnreachable: (error) => {
          options.log.warn(
            { err: error, correlation_id: passage.correlationId },
            "the application did not answer an upgrade",
          );
          if (!socket.destroyed) void answerSocket(socket, badGateway(passage));
        },
        onOpen: (client, upstream) => {
          if (verdict.session !== undefined) options.live.addSocket(verdict.session.id, client, upstream);
        },
      });
    },
  };
}

function ambiguousFraming({ correlationId }: Passage): Response {
  const detail = "Connection names a header that frames or routes the message.";
  return problem(400, { title: "Ambiguous request", detail, correlation_id: correlationId });
}

function badGateway({ request, ingress, correlationId }: Passage): Response {
  if (ingress === undefined || !isNavigation(request.method ?? "GET", request.headers))
    return problem(502, {
      title: "Bad gateway",
      detail: "The application did not answer.",
      correlation_id: correlationId,
    });
  return errorPage({
    status: 502,
    trouble: "upstream",
    acceptLanguage: request.headers["accept-language"],
    correlationId,
    retry: undefined,
    home: `${ingress.prefix}/`,
  });
}

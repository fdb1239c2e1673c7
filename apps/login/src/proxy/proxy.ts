import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { ReportedError } from "@portvakt/oauth";
import { problem } from "@portvakt/runtime/http";
import { tracing, type CounterMetric, type Logger } from "@portvakt/runtime/observe";
import { isNavigation } from "../request/navigation.ts";
import { checkRedirect, homeOf } from "../request/redirect.ts";
import type { Session } from "../session/model.ts";
import { writeResponse } from "../write.ts";
import type { Upstream } from "../upstream/pool.ts";
import { forward } from "./forward.ts";
import type { Gate } from "./gate.ts";
import type { Passage } from "./passage.ts";
import type { LiveConnections } from "./live.ts";
import type { UpstreamToken } from "../exchange/edge.ts";
import { upstreamHeaders } from "./headers.ts";
import type { TrustedPeers } from "./peers.ts";
import { troubleAnswer } from "./trouble.ts";
import { readStepUp, stepUpLocation } from "./step-up.ts";
import { answerSocket, forwardUpgrade } from "./upgrade.ts";

export interface ProxyOptions {
  readonly gate: Gate;
  readonly upstream: Upstream;
  readonly upstreamCa: string | undefined;
  readonly isOwnCookie: (name: string) => boolean;
  readonly trusted: TrustedPeers;
  /** Exchanges a session's token for the application's own; undefined = the application receives the session's. */
  readonly upstreamToken: UpstreamToken | undefined;
  readonly includeIdToken: boolean;
  /** Whether the client's own `Authorization` reaches the application when there is no session. */
  readonly passAuthorization: boolean;
  /** Whether every request that is passed on is logged. */
  readonly accessLog: boolean;
  readonly live: LiveConnections;
  readonly log: Logger;
  readonly answers: CounterMetric;
}

export interface Proxy {
  request(passage: Passage, response: ServerResponse): Promise<void>;
  upgrade(passage: Passage, socket: Duplex, head: Buffer): Promise<void>;
}

/** Everything that is not one of our endpoints: through the gate, then to the application. */
export function createProxy(options: ProxyOptions): Proxy {
  return {
    request: (passage, response) => passRequest(options, passage, response),
    upgrade: (passage, socket, head) => passUpgrade(options, passage, socket, head),
  };
}

async function passRequest(options: ProxyOptions, passage: Passage, response: ServerResponse): Promise<void> {
  const { live, log, answers } = options;
  const { request, correlationId } = passage;
  const verdict = await options.gate(passage);
  if (verdict.kind === "answer") {
    answers.inc({ why: verdict.why });
    if (verdict.response.status >= 400)
      log.info({ why: verdict.why, correlation_id: correlationId }, "refused");
    return writeResponse(response, verdict.response, request.method);
  }
  const { user } = verdict;
  const session = user?.session;
  const asked = tokenFor(options, passage, session);
  // Waited for only where there is something to wait for: the way of nearly every request is short.
  const token = asked instanceof Promise ? await asked : asked;
  if (token instanceof Response) return writeResponse(response, token, request.method);
  const headers = headersFor(options, passage, session, token);
  if (headers === undefined) return writeResponse(response, ambiguousFraming(passage), request.method);
  if (options.accessLog)
    log.info(
      { method: request.method, session: session !== undefined, correlation_id: correlationId },
      "passed on",
    );
  // undefined unless there are traces
  const call = tracing()?.call(request.method ?? "GET", options.upstream.origin);
  if (call !== undefined) response.once("close", () => call.end(response.statusCode));
  forward(request, response, {
    upstream: options.upstream,
    path: passage.target.path + passage.target.search,
    headers: call === undefined ? headers : call.headers(headers),
    isOwnCookie: options.isOwnCookie,
    onEventStream: () => {
      if (user !== undefined) live.addStream(user.ticket, response);
    },
    insteadOf401: (challenge) => stepUp(options, passage, session, challenge),
    onUnreachable: (error) => {
      call?.end(error);
      log.warn({ err: error, correlation_id: correlationId }, "the application did not answer");
      answers.inc({ why: "bad_gateway" });
      void writeResponse(response, badGateway(passage), request.method);
    },
  });
}

async function passUpgrade(
  options: ProxyOptions,
  passage: Passage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const verdict = await options.gate(passage);
  if (verdict.kind === "answer") {
    options.answers.inc({ why: verdict.why });
    return answerSocket(socket, verdict.response);
  }
  const { user } = verdict;
  const session = user?.session;
  const token = await tokenFor(options, passage, session);
  if (token instanceof Response) return answerSocket(socket, token);
  const headers = headersFor(options, passage, session, token);
  if (headers === undefined) return answerSocket(socket, ambiguousFraming(passage));
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
    onOpen: (client, end) => {
      if (user !== undefined) options.live.addSocket(user.ticket, client, end);
    },
  });
}

/** RFC 9470: an API that wants the user to authenticate better gets its wish, where a person is there to do it. */
function stepUp(
  options: ProxyOptions,
  { request, ingress, target }: Passage,
  session: Session | undefined,
  challenge: string | undefined,
): string | undefined {
  if (
    session === undefined ||
    ingress === undefined ||
    !isNavigation(request.method ?? "GET", request.headers)
  )
    return undefined;
  const asked = readStepUp(challenge);
  if (asked === undefined) return undefined;
  options.answers.inc({ why: "step_up" });
  const page = checkRedirect(target.path + target.search, ingress, [ingress]) ?? homeOf(ingress);
  return stepUpLocation(asked, ingress, page, session.provider);
}

/** The bearer token for the application, or the answer when there is to be one and it cannot be had. */
function tokenFor(
  options: ProxyOptions,
  passage: Passage,
  session: Session | undefined,
): string | undefined | Promise<string | Response> {
  if (session === undefined || options.upstreamToken === undefined) return session?.tokens.accessToken;
  return exchangedToken(options, passage, options.upstreamToken(session));
}

async function exchangedToken(
  options: ProxyOptions,
  passage: Passage,
  exchange: Promise<string>,
): Promise<string | Response> {
  try {
    return await exchange;
  } catch (error) {
    const refused = error instanceof ReportedError && error.status < 500;
    options.log.warn(
      { err: error, correlation_id: passage.correlationId },
      "the session's token could not be exchanged",
    );
    options.answers.inc({ why: refused ? "exchange_refused" : "exchange_unavailable" });
    const title = "No token for the application";
    if (!refused)
      return troubleAnswer(passage, 503, { title, detail: "A token for it cannot be had right now." });
    const detail = "A token for it was refused. Who may call it is decided by its access policy.";
    return problem(403, { title, detail, correlation_id: passage.correlationId });
  }
}

function headersFor(
  options: ProxyOptions,
  passage: Passage,
  session: Session | undefined,
  accessToken: string | undefined,
): string[] | undefined {
  return upstreamHeaders(passage.request, {
    accessToken,
    idToken: options.includeIdToken ? session?.tokens.idToken : undefined,
    passAuthorization: options.passAuthorization,
    trustedPeer: options.trusted(passage.request.socket.remoteAddress),
    scheme: passage.ingress?.secure === true ? "https" : "http",
    correlationId: passage.correlationId,
    isOwnCookie: options.isOwnCookie,
  });
}

function ambiguousFraming({ correlationId }: Passage): Response {
  const detail = "Connection names a header that frames or routes the message.";
  return problem(400, { title: "Ambiguous request", detail, correlation_id: correlationId });
}

function badGateway(passage: Passage): Response {
  return troubleAnswer(passage, 502, { title: "Bad gateway", detail: "The application did not answer." });
}

import { request, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import type { DevState } from "../running/state.ts";
import { Failed } from "./failed.ts";

/** A request as it goes out: every header is as given, which `fetch` does not allow for a browser's own (Sec-Fetch-*). */
export interface Outgoing {
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request, no redirect followed. A server that does not answer is named in the failure. */
export type Ask = (url: string, outgoing?: Outgoing) => Promise<Response>;

const timeoutMs = 15_000;

/** Asks, and turns "connection refused" into a sentence that names the server. */
export function createAsk(state: DevState): Ask {
  const names = serverNames(state);
  return async (url, outgoing = {}) => {
    try {
      return await send(url, outgoing);
    } catch (error) {
      const { origin } = new URL(url);
      const name = names.get(origin) ?? "a server";
      const late = error instanceof Error && error.name === "TimeoutError";
      throw new Failed(
        `${name} at ${origin} ${late ? `did not answer within ${timeoutMs / 1000} s` : "is not reachable"}`,
        {
          hint: "`portvakt dev` starts a server again that died: run the tour once more, or look into .portvakt/logs",
          cause: error,
        },
      );
    }
  };
}

async function send(url: string, { method = "GET", headers = {}, body }: Outgoing): Promise<Response> {
  const answered = Promise.withResolvers<IncomingMessage>();
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const signal = AbortSignal.timeout(timeoutMs);
  const outgoing = request(url, { method, headers: { ...headers, ...length }, signal });
  outgoing.once("response", answered.resolve).once("error", (error) => {
    answered.reject(signal.aborted ? signal.reason : error);
  });
  outgoing.end(body);
  const incoming = await answered.promise;
  const bytes = await buffer(incoming);
  const status = incoming.statusCode ?? 500;
  const empty = bytes.length === 0 || status === 204 || status === 304;
  return new Response(empty ? null : new Uint8Array(bytes), { status, headers: headersOf(incoming) });
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    headers.append(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
  return headers;
}

function serverNames(state: DevState): Map<string, string> {
  const { providers, applications, control } = state;
  return new Map([
    [new URL(providers.idporten.issuer).origin, "the ID-porten stand-in"],
    [new URL(providers.entra.issuer).origin, "the Entra ID stand-in"],
    [new URL(providers.maskinporten.issuer).origin, "the Maskinporten stand-in"],
    [new URL(providers.tokenx.issuer).origin, "TokenX"],
    [control, "the stand-ins' control API"],
    ...Object.entries(applications).flatMap(([name, application]): [string, string][] => [
      [application.direct, name],
      [application.url, application.login === undefined ? name : `the login proxy of ${name}`],
      ...(application.tokens === undefined
        ? []
        : [[application.tokens, `the token API of ${name}`] as [string, string]]),
    ]),
  ]);
}

/** A JSON answer; anything else fails with what came instead. */
export async function json(response: Response, what: string): Promise<Record<string, unknown>> {
  const text = await response.text();
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // said below
  }
  throw new Failed(`${what} answered ${response.status} with something that is no JSON object`, {
    hint: text.slice(0, 160),
  });
}

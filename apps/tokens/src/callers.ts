import { readFile, stat } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { equalConstantTime, type Clock } from "@portvakt/oauth";
import { json, type Answer } from "./answers.ts";

/** Says why a caller is turned away; undefined for one who may call. */
export type CallerCheck = (headers: IncomingHttpHeaders) => Promise<Answer | undefined> | Answer | undefined;

export interface CallerOptions {
  /** The host that the API listens on; undefined for a Unix socket, which has its file's permissions. */
  readonly host: string | undefined;
  readonly sharedSecret?: () => Promise<string>;
}

const loopbackNames: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Whether an address can only be reached from this machine (or this pod). */
export function isLoopback(host: string): boolean {
  return loopbackNames.has(host) || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/**
 * Judges callers. On loopback the `Host` must be a loopback name: a page that has made its own name point here (DNS
 * rebinding) is turned away. So is every request that a browser sends for another page (`Origin`). With a shared secret,
 * callers must send it.
 */
export function createCallerCheck({ host, sharedSecret }: CallerOptions): CallerCheck {
  const onLoopback = host !== undefined && isLoopback(host);
  let accepted: string | undefined;
  return (headers) => {
    // A caller uses the same name each time; looking at it once is enough.
    if (onLoopback && (headers.host === undefined || headers.host !== accepted)) {
      if (!isLoopback(hostName(headers.host))) {
        return refusal(403, "invalid_request", "this API answers to loopback names only");
      }
      accepted = headers.host;
    }
    const { origin } = headers;
    if (origin !== undefined && origin !== `http://${headers.host}`) {
      return refusal(403, "invalid_request", "this API is not for web pages");
    }
    return sharedSecret === undefined ? undefined : judgeSecret(headers.authorization, sharedSecret);
  };
}

async function judgeSecret(
  authorization: string | undefined,
  read: () => Promise<string>,
): Promise<Answer | undefined> {
  const [, sent = ""] = /^Bearer +([^ ]+)$/i.exec(authorization ?? "") ?? [];
  const expected = await read().catch(() => "");
  if (expected !== "" && equalConstantTime(sent, expected)) return undefined;
  return refusal(401, "invalid_client", "the shared secret is missing or wrong", {
    "www-authenticate": "Bearer",
  });
}

function refusal(
  status: number,
  error: string,
  description: string,
  headers?: Record<string, string>,
): Answer {
  return json(status, { error, error_description: description }, headers);
}

/** The host without its port. */
function hostName(host: string | undefined): string {
  return (host ?? "").replace(/:\d+$/, "").toLowerCase();
}

/** Reads a secret from a mounted file, anew when the file has changed; the file is looked at once a second at most. */
export function secretFromFile(path: string, now: Clock): () => Promise<string> {
  let held = "";
  let changedAt = -1;
  let lookedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (now() - lookedAt >= 0 && now() - lookedAt < 1) return held;
    const { mtimeMs } = await stat(path);
    if (mtimeMs !== changedAt) {
      held = (await readFile(path, "utf8")).trim();
      changedAt = mtimeMs;
    }
    lookedAt = now();
    return held;
  };
}

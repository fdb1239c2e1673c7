import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { json, type Answer } from "./answers.ts";
import type { App } from "./app.ts";

/** Two tokens of the largest size, form-encoded, with room to spare. */
const maxBodyBytes = 131_072;

/**
 * Serves the app on node:http. The endpoints are small and called for every request of an application, so nothing stands
 * between the socket and them; see the benchmark.
 */
export function createListener(app: App): RequestListener {
  return (request, response) => {
    readAll(request, (body) => {
      if (body === undefined) {
        const answer = json(413, { error: "invalid_request", error_description: "the request is too large" });
        response.once("finish", () => request.destroy());
        write(response, answer, request.method);
        return;
      }
      const { method = "GET", url = "/", headers } = request;
      const query = url.indexOf("?");
      const path = query === -1 ? url : url.slice(0, query);
      const answer = app({ method, path, headers, body });
      if (answer instanceof Promise) void answer.then((settled) => write(response, settled, method));
      else write(response, answer, method);
    });
  };
}

/** Reads the body whole; gives undefined as soon as it is too large. A request that breaks off is never answered. */
function readAll(request: IncomingMessage, done: (body: string | undefined) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBodyBytes) chunks.push(chunk);
    else {
      request.removeAllListeners("data").removeAllListeners("end");
      request.pause();
      done(undefined);
    }
  });
  request.on("end", () => {
    const [only] = chunks;
    done(only !== undefined && chunks.length === 1 ? only.toString() : Buffer.concat(chunks).toString());
  });
  request.on("error", () => undefined);
}

function write(
  response: ServerResponse,
  { status, body, headers }: Answer,
  method: string | undefined,
): void {
  const length = Buffer.byteLength(body);
  const common = {
    "content-type": "application/json",
    "content-length": length,
    // RFC 6749 section 5.1: tokens are never to be stored on the way.
    "cache-control": "no-store",
  };
  response.writeHead(status, headers === undefined ? common : { ...common, ...headers });
  if (method === "HEAD") response.end();
  // ASCII is the same in both, and node writes latin1 without looking at each character again.
  else response.end(body, length === body.length ? "latin1" : "utf8");
}

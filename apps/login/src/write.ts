import type { ServerResponse } from "node:http";

/** Writes a small answer of ours. Never waits for the client; a client that is gone is nobody's error. */
export async function writeResponse(
  response: ServerResponse,
  answer: Response,
  method: string | undefined,
): Promise<void> {
  const body = answer.body === null ? undefined : Buffer.from(await answer.arrayBuffer());
  if (response.destroyed || response.headersSent) return;
  for (const [name, value] of answer.headers) if (name !== "set-cookie") response.setHeader(name, value);
  const cookies = answer.headers.getSetCookie();
  if (cookies.length > 0) response.setHeader("set-cookie", cookies);
  if (body !== undefined || (answer.status !== 204 && answer.status !== 304))
    response.setHeader("content-length", body?.length ?? 0);
  response.writeHead(answer.status);
  response.end(method === "HEAD" ? undefined : body);
}

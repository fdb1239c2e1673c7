import { Fault } from "../errors.ts";

/**
 * Reads a JSON object from an answer, in bounded memory.
 *
 * Checks: size, that it is a JSON object. Does not check: status, content type (peers mislabel theirs), members.
 * Throws: Fault `too_large`, `bad_response`.
 */
export async function readJson(response: Response, maxBytes: number): Promise<Record<string, unknown>> {
  const text = await readText(response, maxBytes);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (cause) {
    throw new Fault("bad_response", `the answer (HTTP ${response.status}) is not JSON`, { cause });
  }
  throw new Fault("bad_response", `the answer (HTTP ${response.status}) is not a JSON object`);
}

/**
 * Gets a JSON object from an address: redirects are refused, time and size are bounded.
 *
 * Checks: status 200, size, JSON object. Throws: Fault `unreachable`, `bad_response`, `too_large`.
 */
export async function fetchJson(
  url: string,
  options: { fetch?: typeof fetch | undefined; timeoutSeconds: number; maxBytes: number },
): Promise<Record<string, unknown>> {
  const send = options.fetch ?? fetch;
  const request = new Request(url, {
    headers: { accept: "application/json" },
    redirect: "manual",
    signal: AbortSignal.timeout(options.timeoutSeconds * 1000),
  });
  const response = await send(request).catch((cause: unknown) => {
    throw new Fault("unreachable", `${url} did not answer`, { cause });
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Fault("bad_response", `${url} answered HTTP ${response.status}`);
  }
  return readJson(response, options.maxBytes).catch((cause: unknown) => {
    if (!(cause instanceof Fault)) throw new Fault("unreachable", `${url} broke off its answer`, { cause });
    throw new Fault(cause.code, `${url}: ${cause.message}`, { cause });
  });
}

async function readText(response: Response, maxBytes: number): Promise<string> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Fault("too_large", `the answer is larger than ${maxBytes} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

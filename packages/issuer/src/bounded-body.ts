import { ProtocolError } from "@portvakt/oauth";

/**
 * Reads a request's body as UTF-8 text, at most `maxBytes`.
 * *Checks* the declared and the real length, and that it is UTF-8. *Does not check* the content. *Throws* ProtocolError invalid_request (413).
 */
export async function readBounded(request: Request, maxBytes: number): Promise<string> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge();
  // Where a length is declared, the HTTP parser lets no more through, and this is the fast way.
  if (request.headers.has("content-length") && !request.headers.has("transfer-encoding"))
    return request.text();
  if (request.body === null) return "";
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let bytes = 0;
  let text = "";
  try {
    for await (const chunk of request.body) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw tooLarge();
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch (cause) {
    if (cause instanceof ProtocolError) throw cause;
    throw new ProtocolError("invalid_request", "the body could not be read as UTF-8", { cause });
  }
}

function tooLarge(): ProtocolError {
  return new ProtocolError("invalid_request", "the body is too large", { status: 413 });
}

import { parseForm, ProtocolError } from "@portvakt/oauth";
import type { FormParams } from "@portvakt/oauth";

/**
 * Reads a request's body as UTF-8 text, at most `maxBytes`.
 * *Checks* the declared and the real length, and that it is UTF-8. *Does not check* the content. *Throws* ProtocolError invalid_request (413).
 */
export async function readBounded(request: Request, maxBytes: number): Promise<string> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge();
  // Where a length is declared, the HTTP parser lets no more through, and this is the fast way.
  if (request.headers.has("content-length") && !request.headers.has("transfer-encoding"))
    return await request.text();
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

/** A form that was posted, parsed once. */
export interface FormRequest {
  readonly params: FormParams;
  readonly headers: Headers;
  readonly method: string;
  readonly url: string;
}

/**
 * Parses a posted form.
 * *Checks* the method, the content type, the size, and that no parameter is repeated but the `repeatable`.
 * *Does not check* which parameters there are. *Throws* ProtocolError invalid_request.
 */
export async function readFormRequest(
  raw: Request,
  repeatable: readonly string[],
  maxBytes: number,
): Promise<FormRequest> {
  if (raw.method !== "POST")
    throw new ProtocolError("invalid_request", "this endpoint takes POST only", { status: 405 });
  const type = raw.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded")
    throw new ProtocolError("invalid_request", "the body must be application/x-www-form-urlencoded");
  const params = parseForm(await readBounded(raw, maxBytes), { repeatable, maxBytes });
  return { params, headers: raw.headers, method: raw.method, url: raw.url };
}

// Request bodies of bounded size.
import { HttpProblem } from "./problem.ts";

function tooLarge(maxBytes: number): HttpProblem {
  return new HttpProblem(413, {
    title: "Content too large",
    detail: `The request body is larger than ${maxBytes} bytes.`,
  });
}

async function readCounted(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the stream, so nothing more is read from a sender of too much.
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/**
 * Reads a request's body as UTF-8 text, at most `maxBytes` long.
 * *Checks* the size, declared or not. *Does not check* the content type.
 * *Throws* HttpProblem 413 when it is larger.
 */
export async function readBody(request: Request, maxBytes: number): Promise<string> {
  const declared = request.headers.get("content-length");
  // A declared length is enforced by the HTTP parser (RFC 9112 section 6.3), so the whole-body read is bounded by it.
  if (declared !== null && /^\d{1,15}$/.test(declared)) {
    if (Number(declared) > maxBytes) throw tooLarge(maxBytes);
    if (!request.headers.has("transfer-encoding")) return await request.text();
  }
  return request.body === null ? "" : await readCounted(request.body, maxBytes);
}

import type { MakeProof } from "@portvakt/providers";
import { json, type Answer } from "../answers.ts";
import { parseBody, proofRequest } from "../schemas.ts";

/**
 * `POST /api/v1/dpop-proof`: the proof for one request of the application (RFC 9449 section 4.2), to be sent as its `DPoP`
 * header beside `Authorization: DPoP <token>`. The key never leaves this process.
 */
export async function dpopProof(makeProof: MakeProof, contentType: string, body: string): Promise<Answer> {
  const { method, url, access_token: accessToken, nonce } = parseBody(proofRequest, contentType, body);
  const proof = await makeProof({
    method,
    url,
    ...(accessToken ? { accessToken } : {}),
    ...(nonce ? { nonce } : {}),
  });
  return json(200, { proof });
}

import type { MakeProof } from "@portvakt/providers";

/** Binds the tokens of one provider to the key that this process holds (RFC 9449). */
export interface Binding {
  /** Adds the proof to a token request. */
  readonly prove: (request: Request) => Promise<void>;
  /** Takes the nonce that the provider wants in the next proof (section 8). */
  readonly learn: (response: Response) => void;
}

/** What a nonce is made of (RFC 9449 section 8.1), and no longer than any that makes sense. */
const wellFormed = /^[\x21\x23-\x5b\x5d-\x7e]{1,1024}$/;

/** Makes the binding for one provider: nonces are the provider's own, and of them the last is kept. */
export function createBinding(makeProof: MakeProof): Binding {
  let nonce: string | undefined;
  return {
    async prove(request) {
      const { method, url } = request;
      const about = nonce === undefined ? { method, url } : { method, url, nonce };
      request.headers.set("dpop", await makeProof(about));
    },
    learn(response) {
      const given = response.headers.get("dpop-nonce");
      if (given !== null && wellFormed.test(given)) nonce = given;
    },
  };
}

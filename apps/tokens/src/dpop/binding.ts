import type { MakeProof } from "@portvakt/providers";

/** Binds the tokens of one provider to the key that this process holds (RFC 9449). */
export interface Binding {
  /** Adds the proof to a token request. */
  readonly prove: (request: Request) => Promise<void>;
  /** Takes the nonce that the provider wants in the next proof (section 8). */
  readonly learn: (response: Response) => void;
}

/** Makes the binding for one provider: nonces are the provider's own. */
export function createBinding(makeProof: MakeProof): Binding {
  let nonce: string | undefined;
  return {
    async prove(request) {
      const { method, url } = request;
      const about = nonce === undefined ? { method, url } : { method, url, nonce };
      request.headers.set("dpop", await makeProof(about));
    },
    learn(response) {
      nonce = response.headers.get("dpop-nonce") ?? nonce;
    },
  };
}

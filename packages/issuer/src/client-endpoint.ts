import type { Clock, FormParams } from "@portvakt/oauth";
import { readFormRequest } from "./form-request.ts";
import type { AuthenticateClient, RegisteredClient } from "./types.ts";
import { noStore, toProtocolError, writeJson, writeUncached } from "./write-error.ts";

export interface ClientEndpointOptions<C extends RegisteredClient> {
  readonly now: Clock;
  readonly authenticate: AuthenticateClient<C>;
  readonly admit?: (client: C, now: number) => void;
  /** Gives the members of the answer, or nothing for an empty one. Throws ProtocolError. */
  readonly serve: (request: {
    readonly params: FormParams;
    readonly client: C;
    readonly now: number;
  }) => Promise<Record<string, unknown> | undefined>;
  /** Is told of what is no refusal but a fault. */
  readonly onFault: (fault: unknown) => void;
}

const maxBytes = 65_536;

/**
 * Makes an endpoint that takes a form from an authenticated client and issues nothing: introspection (RFC 7662), revocation
 * (RFC 7009). Clients authenticate as at the token endpoint.
 */
export function clientEndpoint<C extends RegisteredClient>(
  options: ClientEndpointOptions<C>,
): (request: Request) => Promise<Response> {
  return async (raw) => {
    try {
      const now = options.now();
      const request = await readFormRequest(raw, [], maxBytes);
      const client = await options.authenticate({ ...request, grantType: "" });
      options.admit?.(client, now);
      const answer = await options.serve({ params: request.params, client, now });
      return answer === undefined ? new Response(null, { status: 200, headers: noStore }) : writeJson(answer);
    } catch (thrown) {
      const error = toProtocolError(thrown);
      if (error.status >= 500) options.onFault(thrown);
      return writeUncached(error, raw);
    }
  };
}

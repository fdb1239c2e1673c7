import { clientAssertionType, ProtocolError } from "@portvakt/oauth";
import type { Clock, SignatureAlgorithm } from "@portvakt/oauth";
import { judgeClientAssertion } from "./client-assertion.ts";
import type { AssertionRefusal } from "./client-assertion.ts";
import type {
  AuthenticateClient,
  ClaimOnce,
  ClientAuthMethod,
  RegisteredClient,
  TokenRequest,
} from "./types.ts";

/** Why a client was not let in. */
export const clientRefusals = {
  no_credentials: "the request carries no client authentication",
  unknown_client: "the client is not registered",
  method_not_registered: "the client is not registered for this authentication method",
  wrong_secret: "the client secret is wrong",
  malformed_credentials: "the client credentials cannot be read",
  client_id_mismatch: "client_id and the credentials name different clients",
  assertion_refused: "the client assertion is refused",
} as const;
export type ClientRefusalCode = keyof typeof clientRefusals;

/** invalid_client, with what servers that word their own errors need to know. */
export class ClientRefused extends ProtocolError {
  readonly code: ClientRefusalCode;
  /** The id that the request claimed; nothing says that it is true. */
  readonly claimedId: string | undefined;
  readonly assertion: AssertionRefusal | undefined;
  constructor(code: ClientRefusalCode, claimedId?: string, assertion?: AssertionRefusal) {
    super("invalid_client", assertion?.message ?? clientRefusals[code]);
    this.code = code;
    this.claimedId = claimedId;
    this.assertion = assertion;
  }
}

export interface ClientAuthenticatorOptions<C extends RegisteredClient> {
  /** Looks a client up; `fresh` asks past any memory. */
  readonly findClient: (id: string, options: { fresh: boolean }) => C | undefined | Promise<C | undefined>;
  /** The `aud` values of client assertions: the issuer identifier, and others only for compatibility. */
  readonly acceptedAudiences: readonly string[];
  readonly acceptAudienceArray?: boolean;
  readonly claimJti: ClaimOnce;
  readonly now: Clock;
  readonly algorithms: readonly SignatureAlgorithm[];
  readonly maxLifetimeSeconds?: number;
  readonly toleranceSeconds?: number;
}

/** What a request presents: exactly one method (RFC 6749 section 2.3). */
type Presented =
  | { readonly method: "private_key_jwt"; readonly id: string | undefined; readonly assertion: string }
  | {
      readonly method: "client_secret_basic" | "client_secret_post";
      readonly id: string;
      readonly secret: string;
    }
  | { readonly method: "none"; readonly id: string };

/**
 * Makes the usual client authentication: private_key_jwt, client_secret_basic, client_secret_post and none, each only
 * for clients that are registered for it. Throws ClientRefused, or invalid_request when the request presents two methods.
 */
export function clientAuthenticator<C extends RegisteredClient>(
  options: ClientAuthenticatorOptions<C>,
): AuthenticateClient<C> {
  async function client(id: string, method: Exclude<ClientAuthMethod, "private_key_jwt">): Promise<C> {
    const found =
      (await options.findClient(id, { fresh: false })) ?? (await options.findClient(id, { fresh: true }));
    if (found === undefined) throw new ClientRefused("unknown_client", id);
    if (!found.authMethods.includes(method)) throw new ClientRefused("method_not_registered", id);
    return found;
  }

  async function byAssertion(assertion: string, claimedId: string | undefined): Promise<C> {
    const result = await judgeClientAssertion(assertion, {
      ...options,
      audiences: options.acceptedAudiences,
      find: options.findClient,
      keysOf: ({ authMethods, keys }) => (authMethods.includes("private_key_jwt") ? keys : undefined),
    });
    if (!result.ok)
      throw new ClientRefused("assertion_refused", result.clientId ?? claimedId, result.refusal);
    if (claimedId !== undefined && claimedId !== result.clientId)
      throw new ClientRefused("client_id_mismatch", claimedId);
    return result.client;
  }

  return async (request) => {
    const presented = readCredentials(request);
    if (presented.method === "private_key_jwt") return await byAssertion(presented.assertion, presented.id);
    const found = await client(presented.id, presented.method);
    if (presented.method !== "none" && found.secretMatches?.(presented.secret) !== true)
      throw new ClientRefused("wrong_secret", found.id);
    return found;
  };
}

/**
 * Reads which client a request claims to come from, and by what proof.
 * *Checks* that there is exactly one method, and that client_id agrees with it. *Does not check* the proof.
 * *Throws* ClientRefused, or ProtocolError invalid_request for several methods (RFC 6749 section 5.2).
 */
export function readCredentials(request: TokenRequest): Presented {
  const { params, headers } = request;
  const basic = /^basic(?:\s|$)/i.test(headers.get("authorization") ?? "");
  const assertion = params.one("client_assertion");
  const secret = params.one("client_secret");
  const id = params.one("client_id");
  if (Number(basic) + Number(assertion !== undefined) + Number(secret !== undefined) > 1)
    throw new ProtocolError("invalid_request", "the client must authenticate by one method only");
  if (basic) return readBasic(headers.get("authorization") ?? "", id);
  if (assertion !== undefined) {
    if (params.one("client_assertion_type") !== clientAssertionType)
      throw new ProtocolError(
        "invalid_request",
        `parameter client_assertion_type must be ${clientAssertionType}`,
      );
    return { method: "private_key_jwt", id, assertion };
  }
  if (id === undefined) throw new ClientRefused("no_credentials");
  return secret === undefined ? { method: "none", id } : { method: "client_secret_post", id, secret };
}

/** RFC 6749 section 2.3.1: both halves are form-encoded before they are joined and base64-encoded. */
function readBasic(authorization: string, claimedId: string | undefined): Presented {
  const malformed = new ClientRefused("malformed_credentials", claimedId);
  const encoded = /^basic +([A-Za-z0-9+/]+=*) *$/i.exec(authorization)?.[1];
  if (encoded === undefined) throw malformed;
  let halves: (string | undefined)[];
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(
      Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0)),
    );
    const colon = text.indexOf(":");
    halves = colon < 0 ? [] : [text.slice(0, colon), text.slice(colon + 1)].map(formDecode);
  } catch {
    throw malformed;
  }
  const [id, secret] = halves;
  if (id === undefined || id === "" || secret === undefined) throw malformed;
  if (claimedId !== undefined && claimedId !== id) throw new ClientRefused("client_id_mismatch", claimedId);
  return { method: "client_secret_basic", id, secret };
}

function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}

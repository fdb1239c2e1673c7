import { ProtocolError } from "@portvakt/oauth";
import type { Clock, FormParams } from "@portvakt/oauth";
import { readFormRequest } from "./form-request.ts";
import type { FormRequest } from "./form-request.ts";
import { toProtocolError, writeJson, writeUncached } from "./write-error.ts";
import type {
  AuditEvent,
  AuthenticateClient,
  Grant,
  Granted,
  PolicyAnswer,
  PolicyQuestion,
  RegisteredClient,
  TokenAnswer,
  TokenRequest,
} from "./types.ts";

export interface TokenEndpointOptions<C extends RegisteredClient, D extends PolicyAnswer> {
  readonly now: Clock;
  readonly authenticate: AuthenticateClient<C>;
  readonly grants: readonly Grant<C, D>[];
  /** Answers every question of every grant; there is no other way to a token for another application. */
  readonly decide: (question: PolicyQuestion & { now: number }) => D;
  /** Is called once per request, before the answer leaves; when it throws, nothing is issued. */
  readonly audit: (event: AuditEvent<D>) => void;
  /** Holds back a client that asks too often; throws Throttled. Runs after authentication. */
  readonly admit?: (client: C, now: number) => void;
  /** Writes errors the way the server's clients know them; `Cache-Control: no-store` is added here. */
  readonly writeError?: (error: ProtocolError, request: Request) => Response;
  /** Bytes; absent = 65,536. */
  readonly maxBodyBytes?: number;
}

/** What has become known of a request on its way; read by the audit line only. */
interface Trail<D extends PolicyAnswer> {
  grantType?: string;
  client?: string;
  question?: PolicyQuestion;
  decision?: D;
}

/**
 * Makes the token endpoint: one pipeline for every grant (RFC 6749 section 3.2).
 * A grant cannot leave out a step, because it does not call them.
 */
export function tokenEndpoint<C extends RegisteredClient, D extends PolicyAnswer = PolicyAnswer>(
  options: TokenEndpointOptions<C, D>,
): (request: Request) => Promise<Response> {
  const grants = new Map(
    options.grants.map((grant) => [grant.grantType, { grant, narrow: narrower(grant) }]),
  );
  const repeatable = [...new Set(options.grants.flatMap((grant) => grant.repeatable ?? []))];
  const maxBytes = options.maxBodyBytes ?? 65_536;

  async function run(raw: Request, now: number, trail: Trail<D>): Promise<TokenAnswer> {
    // 1. Parse once.
    const parsed = withGrantType(await readFormRequest(raw, repeatable, maxBytes));
    trail.grantType = parsed.grantType;
    // 2. Authenticate the client, and hold it back when it asks too often.
    const client = await options.authenticate(parsed);
    trail.client = client.id;
    options.admit?.(client, now);
    // 3. Look up the grant, and narrow the request to what it takes.
    const known = grants.get(parsed.grantType);
    if (known === undefined) throw unsupportedGrant();
    const request = known.narrow(parsed);
    // 4. Let the grant judge.
    const granted = await known.grant.authorize({ request, client, now });
    // 5. Decide by policy.
    const decision = ask(granted, now, trail);
    // 6. Issue.
    return granted.issue(decision);
  }

  function ask(granted: Granted<D>, now: number, trail: Trail<D>): D | undefined {
    if (granted.question === undefined) return undefined;
    trail.question = granted.question;
    const decision = options.decide({ ...granted.question, now });
    trail.decision = decision;
    if (decision.outcome !== "allow") throw deniedByPolicy(decision);
    return decision;
  }

  const times = (at: number) => ({ at, seconds: Math.max(0, options.now() - at) });
  return async (raw) => {
    const now = options.now();
    const trail: Trail<D> = {};
    try {
      const answer = await run(raw, now, trail);
      // 7. Audit, then write: no token leaves without its line.
      options.audit(auditLine(times(now), trail, raw.headers));
      return writeJson(answer);
    } catch (thrown) {
      const error = toProtocolError(thrown);
      options.audit(auditLine(times(now), trail, raw.headers, error, thrown));
      return writeUncached(error, raw, options.writeError);
    }
  };
}

/** The form as a token request. *Throws* ProtocolError invalid_request without a grant_type. */
function withGrantType(request: FormRequest): TokenRequest {
  const grantType = request.params.one("grant_type");
  if (grantType === undefined) throw missing("grant_type");
  return Object.freeze({ ...request, grantType });
}

/** Makes what gives a request as its grant may see it: the declared parameters only, the required ones present. */
function narrower<C extends RegisteredClient, D extends PolicyAnswer>(
  grant: Grant<C, D>,
): (request: TokenRequest) => TokenRequest {
  const declared = new Set([...grant.required, ...grant.optional]);
  const mayRepeat = new Set(grant.repeatable);
  return (request) => {
    const { one, all, names } = request.params;
    for (const name of declared)
      if (!mayRepeat.has(name) && all(name).length > 1)
        throw new ProtocolError("invalid_request", `parameter ${name} is repeated`);
    const absent = grant.required.find((name) => one(name) === undefined);
    if (absent !== undefined) throw missing(absent);
    const params: FormParams = {
      one: (name) => (declared.has(name) ? one(name) : undefined),
      all: (name) => (declared.has(name) ? all(name) : []),
      names: () => names().filter((name) => declared.has(name)),
    };
    return Object.freeze({ ...request, params });
  };
}

function missing(name: string): ProtocolError {
  return new ProtocolError("invalid_request", `parameter ${name} is missing`);
}

function unsupportedGrant(): ProtocolError {
  return new ProtocolError("unsupported_grant_type", "this server does not serve that grant type");
}

/** RFC 8693 section 2.2.2. Vague on purpose: the reason belongs to the target's owner, who finds it by the id. */
function deniedByPolicy(decision: PolicyAnswer): ProtocolError {
  return new ProtocolError("invalid_target", "the access policy does not admit this client to the target", {
    members: { decision_id: decision.id },
    cause: decision,
  });
}

function auditLine<D extends PolicyAnswer>(
  times: { at: number; seconds: number },
  trail: Trail<D>,
  headers: Headers,
  error?: ProtocolError,
  thrown?: unknown,
): AuditEvent<D> {
  return {
    ...times,
    outcome: error === undefined ? "issued" : error.status >= 500 ? "failed" : "refused",
    grantType: trail.grantType,
    client: trail.client,
    question: trail.question,
    decision: trail.decision,
    error: error?.error,
    description: error?.description,
    cause: thrown === error ? error?.cause : thrown,
    headers,
  };
}

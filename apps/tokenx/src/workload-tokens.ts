import type { AuthenticateClient } from "@portvakt/issuer";
import { clientAssertionType, peekJwt, ProtocolError, signatureAlgorithms, verifyJwt } from "@portvakt/oauth";
import type { Clock, SignatureAlgorithm } from "@portvakt/oauth";
import type { Application } from "./registry/registration.ts";
import type { TrustedIssuer, TrustedIssuers } from "./trusted-issuers.ts";

/** What is particular to a cluster that issues tokens to its workloads. */
export interface ClusterRules {
  /** The cluster's name, as in its applications' ids. */
  readonly cluster: string;
}

export interface WorkloadOptions {
  readonly issuer: string;
  readonly clusters: TrustedIssuers<ClusterRules>;
  readonly findClient: (id: string) => Promise<Application | undefined>;
  readonly now: Clock;
}

/** `system:serviceaccount:<namespace>:<name>`, as Kubernetes names a workload's account. */
const accountPattern = /^system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,63})$/;
const algorithms = Object.keys(signatureAlgorithms) as SignatureAlgorithm[];

/**
 * Lets workloads authenticate with the token that their cluster gave them, made for this server (RFC 7523 section 2.2), and all
 * others as before. Such a token is used many times in its life, so there is no replay to notice; what bounds it is its `aud`,
 * and that the cluster renews it.
 */
export function orByWorkloadToken(
  authenticate: AuthenticateClient<Application>,
  options: WorkloadOptions,
): AuthenticateClient<Application> {
  return async (request) => {
    const assertion = request.params.one("client_assertion");
    const cluster = await options.clusters.find(peekJwt(assertion ?? "")?.claims.iss);
    if (assertion === undefined || cluster === undefined) return authenticate(request);
    if (
      request.params.one("client_assertion_type") !== clientAssertionType ||
      request.headers.has("authorization")
    )
      throw new ProtocolError("invalid_request", "the client must authenticate by one method only");
    const id = await applicationOf(assertion, cluster, options);
    const claimed = request.params.one("client_id");
    if (claimed !== undefined && claimed !== id)
      throw refused("it is not of the client that client_id names");
    const client = await options.findClient(id);
    if (client === undefined) throw refused(`${id} is not registered`);
    return client;
  };
}

async function applicationOf(
  assertion: string,
  { issuer, keys, rules }: TrustedIssuer<ClusterRules>,
  options: WorkloadOptions,
): Promise<string> {
  const required = ["iss", "sub", "aud", "exp", "iat"];
  const result = await verifyJwt(
    assertion,
    { issuer, audience: options.issuer, keys, algorithms, required },
    options.now,
  );
  if (!result.ok) throw refused(result.refusal.message);
  const account = accountPattern.exec(result.token.claims.sub ?? "");
  if (account === null) throw refused("its sub is not a workload's");
  return `${rules.cluster}:${account[1]}:${account[2]}`;
}

function refused(why: string): ProtocolError {
  return new ProtocolError("invalid_client", `the workload token is refused: ${why}`);
}

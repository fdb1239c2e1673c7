import { buildTokenRequest, grantTypes, peekJwt, type JwtClaims, type VerifiedToken } from "@portvakt/oauth";
import { objectToIdToken, objectToType } from "./access-token.ts";
import { judgeIssuedToken } from "./answers.ts";
import { explainEntra } from "./explain/entra.ts";
import type {
  ExchangeAsk,
  MachineTokenAsk,
  Provider,
  ProviderClient,
  SubjectContext,
  SubjectKind,
  SubjectProblem,
} from "./provider.ts";
import { lookAtTimes, wrongAudience } from "./subject.ts";

const applicationId = /^([a-z0-9-]+):([a-z0-9-]+):([a-z0-9-]+)$/;

/**
 * The scope that a target stands for: `cluster:namespace:app` is the application's identifier URI with `/.default`;
 * anything else (`api://cluster.namespace.app/.default`, a raw scope) is a scope already.
 */
export function entraScope(target: string): string {
  const [, cluster, namespace, name] = applicationId.exec(target) ?? [];
  return name === undefined ? target : `api://${cluster}.${namespace}.${name}/.default`;
}

/** Client credentials (RFC 6749 section 4.4). */
function buildMachineToken(client: ProviderClient, ask: MachineTokenAsk): Promise<Request> {
  return buildTokenRequest({
    endpoint: client.tokenEndpoint,
    params: { grant_type: grantTypes.clientCredentials, scope: entraScope(ask.target) },
    auth: client.auth,
  });
}

/** The on-behalf-of flow: Microsoft's use of RFC 7523 section 2.1. */
function buildOnBehalfOf(client: ProviderClient, ask: ExchangeAsk): Promise<Request> {
  return buildTokenRequest({
    endpoint: client.tokenEndpoint,
    params: {
      grant_type: grantTypes.jwtBearer,
      requested_token_use: "on_behalf_of",
      assertion: ask.userToken,
      scope: entraScope(ask.target),
    },
    auth: client.auth,
  });
}

function look(userToken: string, context: SubjectContext): SubjectProblem | undefined {
  const claims = peekJwt(userToken)?.claims;
  if (claims === undefined) {
    return {
      error: "invalid_grant",
      description: "user_token is not a JWT",
      hint: "send the access token from the user's Authorization header, without the word Bearer",
    };
  }
  if (claims["idtyp"] === "app") {
    return {
      error: "invalid_grant",
      description: "user_token is a machine token (idtyp app): there is no user to act on behalf of",
      hint: "call the target with /api/v1/token instead, or let the caller send a user's token",
    };
  }
  const own = [context.clientId, `api://${context.clientId}`];
  return lookAtTimes(claims, context.now, "invalid_grant") ?? wrongAudience(claims, own, "invalid_grant");
}

/** ID tokens and access tokens of Entra ID share issuer, key and audience; only access tokens name their caller. */
function objection(token: VerifiedToken): string | undefined {
  const wrongKind = objectToType(token) ?? objectToIdToken(token.claims);
  if (wrongKind !== undefined) return wrongKind;
  const marks = ["azp", "appid", "scp", "roles", "idtyp"];
  return marks.some((name) => token.claims[name] !== undefined)
    ? undefined
    : "this is not an access token: it names no calling application (azp), scope or role";
}

/**
 * `idtyp`, which says `app`, is an optional claim; a user's token has `scp`, an application's own has roles without it. What says
 * neither, or both, is of no kind.
 */
function kind({ idtyp, scp, roles }: Readonly<JwtClaims>): SubjectKind {
  const user = typeof scp === "string" && scp !== "";
  const machine = idtyp === "app" || (!user && Array.isArray(roles));
  if (user === machine) return "unknown";
  return user ? "user" : "machine";
}

/** Entra ID, formerly Azure AD: employees, and machines among themselves. */
export const entra: Provider = {
  name: "entra_id",
  title: "Entra ID",
  aliases: ["azuread"],
  token: { build: buildMachineToken, judge: judgeIssuedToken },
  exchange: { build: buildOnBehalfOf, judge: judgeIssuedToken, look },
  introspection: {
    rules: ({ issuer, audience, keys }) => ({ issuer, audience, keys, algorithms: ["RS256"] }),
    objection,
    kind,
  },
  explain: explainEntra,
};

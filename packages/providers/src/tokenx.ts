import {
  audiencesOf,
  buildTokenRequest,
  Fault,
  grantTypes,
  peekJwt,
  tokenTypes,
  type TokenResponse,
} from "@portvakt/oauth";
import { objectToIdToken, objectToType, rsaAlgorithms } from "./access-token.ts";
import { judgeIssuedToken } from "./answers.ts";
import type {
  ExchangeAsk,
  Provider,
  ProviderClient,
  SubjectContext,
  SubjectProblem,
  TokenKind,
} from "./provider.ts";
import { explanationOf, type ErrorRow } from "./explain/row.ts";
import { lookAtTimes, wrongAudience } from "./subject.ts";

/** Token exchange (RFC 8693 section 2.1). */
function buildExchange(client: ProviderClient, ask: ExchangeAsk): Promise<Request> {
  return buildTokenRequest({
    endpoint: client.tokenEndpoint,
    params: {
      grant_type: grantTypes.tokenExchange,
      subject_token: ask.userToken,
      subject_token_type: tokenTypes.jwt,
      audience: ask.target,
    },
    auth: client.auth,
  });
}

/** RFC 8693 section 2.2.1: the answer says what was issued; a refresh or ID token would be no use as a bearer token. */
async function judgeExchange(response: Response, expected?: TokenKind): Promise<TokenResponse> {
  const answer = await judgeIssuedToken(response, expected);
  const issued = answer.issued_token_type;
  if (issued !== undefined && issued !== tokenTypes.accessToken && issued !== tokenTypes.jwt) {
    throw new Fault("bad_response", "the provider issued another type of token than an access token");
  }
  return answer;
}

/**
 * What TokenX would refuse: an expired token, and one that another application received. The audience is compared only
 * for issuers whose audience for this application is known: TokenX itself, and ID-porten when it is enabled here.
 */
function look(userToken: string, context: SubjectContext): SubjectProblem | undefined {
  const claims = peekJwt(userToken)?.claims;
  if (claims === undefined) {
    return {
      error: "invalid_request",
      description: "user_token is not a JWT",
      hint: "send the access token from the user's Authorization header, without the word Bearer; a by-reference token cannot be exchanged",
    };
  }
  const own = claims.iss === context.issuer ? [context.clientId] : context.audiences.get(claims.iss ?? "");
  const late = lookAtTimes(claims, context.now, "invalid_request");
  if (late !== undefined || own === undefined || audiencesOf(claims).includes("unspecified")) return late;
  return wrongAudience(claims, own, "invalid_request");
}

/** What TokenX's codes mean on this platform. */
export const tokenxErrors = {
  invalid_target: {
    owner: "target",
    cause: "the target does not admit this application, or there is no such target",
    fix: "Check its name, cluster:namespace:app, and add this application under spec.accessPolicy.inbound.rules in the target's manifest",
  },
  invalid_client: {
    owner: "platform",
    cause: "TokenX does not know this application's key",
    fix: "It is registered when spec.tokenx.enabled is true in the manifest",
  },
  access_denied: {
    owner: "target",
    cause: "the target does not admit this application",
    fix: "Add it under spec.accessPolicy.inbound.rules in the target's manifest",
  },
} as const satisfies Readonly<Record<string, ErrorRow>>;

/** TokenX: a citizen's token exchanged for one to the next application. */
export const tokenx: Provider = {
  name: "tokenx",
  title: "TokenX",
  aliases: [],
  exchange: { build: buildExchange, judge: judgeExchange, look },
  introspection: {
    rules: ({ issuer, audience, keys }) => ({ issuer, audience, keys, algorithms: rsaAlgorithms }),
    objection: (token) => objectToType(token) ?? objectToIdToken(token.claims),
    // It hands claims on, this one too where it is set up so: what it was given may have been a machine's.
    kind: ({ idtyp }) => (idtyp === "app" ? "machine" : "user"),
  },
  explain: ({ error }) => {
    const rows: Readonly<Record<string, ErrorRow>> = tokenxErrors;
    const row = Object.hasOwn(rows, error) ? rows[error] : undefined;
    return row === undefined ? undefined : explanationOf(error, row);
  },
};

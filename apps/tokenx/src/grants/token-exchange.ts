import { randomUUID } from "node:crypto";
import type { Grant, GrantContext, SigningKeys, TakeTurns } from "@portvakt/issuer";
import { grantTypes, ProtocolError, tokenTypes } from "@portvakt/oauth";
import type { FormParams, JwtClaims } from "@portvakt/oauth";
import type { Decision } from "@portvakt/policy";
import type { Application } from "../registry/registration.ts";
import { depthOf, maxActors } from "../subject/claims.ts";
import { proofOf } from "./dpop.ts";
import type { JudgeProof } from "./dpop.ts";
import type { JudgeSubject, Subject } from "../subject/judge.ts";

export interface TokenExchangeOptions {
  readonly issuer: string;
  readonly keys: SigningKeys;
  /** Shares the making of signatures, which is most of the work, among clients. */
  readonly takeTurns: TakeTurns;
  readonly judgeSubject: JudgeSubject;
  readonly judgeActor: JudgeActor;
  readonly judgeProof: JudgeProof;
  /** Longest life of an issued token, seconds. */
  readonly lifetimeSeconds: number;
  readonly findTarget: (id: string) => Application | undefined;
  readonly onIssued: (clientId: string, audience: string) => void;
}

/** Whether the token says, in the client's own signature, that the client acts. */
export type JudgeActor = (token: string, client: Application) => Promise<boolean>;

const subjectTokenTypes: readonly string[] = [tokenTypes.jwt, tokenTypes.accessToken];
const requestedTokenTypes: readonly (string | undefined)[] = [
  undefined,
  tokenTypes.accessToken,
  tokenTypes.jwt,
];

/** The token exchange grant (RFC 8693): a token for the next application in the chain, for the same user. */
export function tokenExchange(options: TokenExchangeOptions): Grant<Application, Decision> {
  return {
    grantType: grantTypes.tokenExchange,
    required: ["subject_token", "subject_token_type"],
    optional: [
      ...["audience", "resource", "scope", "requested_token_type"],
      ...["actor_token", "actor_token_type", "client_assertion"],
    ],
    repeatable: ["audience", "resource"],
    authorize: async ({ request, client, now }: GrantContext<Application>) => {
      const { params } = request;
      const target = judgeParameters(params);
      const actorToken = actorTokenOf(params);
      if (actorToken !== undefined && !(await options.judgeActor(actorToken, client)))
        throw new ProtocolError(
          "invalid_request",
          "invalid actor_token: the actor can only be the authenticated client",
        );
      const subject = await options.judgeSubject(params.one("subject_token") ?? "", client);
      if (depthOf(subject.actor) >= maxActors)
        throw new ProtocolError(
          "invalid_request",
          `invalid subject_token: more than ${maxActors} applications would have acted`,
        );
      const proof = proofOf(request.headers, client);
      const jkt = proof === undefined ? undefined : await options.judgeProof(proof, request, client);
      const scope = narrowScope(params.one("scope"), subject);
      const wanted = options.findTarget(target)?.registration.token;
      return {
        question: { actor: client.id, target, grant: grantTypes.tokenExchange, subject: subject.claims },
        issue: async () => {
          // Only after the decision: what a target wants is nobody's business who is not admitted.
          if (wanted?.dpop === "required" && jkt === undefined)
            throw new ProtocolError("invalid_request", "the target takes tokens bound by DPoP only");
          const claims = issuedClaims(subject, { caller: client.id, target, scope, now, jkt, options });
          const signer = options.keys.signer(wanted?.alg);
          const accessToken = await options.takeTurns(client.id, () =>
            signer.sign(claims, { typ: wanted?.typ ?? "JWT" }),
          );
          options.onIssued(client.id, target);
          return {
            access_token: accessToken,
            issued_token_type: params.one("requested_token_type") ?? tokenTypes.accessToken,
            token_type: jkt === undefined ? "Bearer" : "DPoP",
            expires_in: (claims.exp ?? 0) - (claims.iat ?? 0),
            // RFC 6749 section 5.1: what was issued, unless it is what was asked for.
            ...(scope.length > 0 && { scope: scope.join(" ") }),
          };
        },
      };
    },
  };
}

/** Judges what needs no look into a token; gives the target. RFC 8693 section 2.1. */
function judgeParameters(params: FormParams): string {
  const target = targetOf(params);
  if (!subjectTokenTypes.includes(params.one("subject_token_type") ?? ""))
    throw new ProtocolError(
      "invalid_request",
      `parameter subject_token_type must be ${subjectTokenTypes.join(" or ")}`,
    );
  if (!requestedTokenTypes.includes(params.one("requested_token_type")))
    throw new ProtocolError(
      "invalid_request",
      `parameter requested_token_type must be ${tokenTypes.accessToken} or ${tokenTypes.jwt}`,
    );
  return target;
}

/** Longer than any application's id. It is logged, and kept with the decision. */
const maxTargetLength = 255;

/**
 * The one target that the request names, by `audience` or by `resource` (RFC 8707): an application's id, `cluster:namespace:name`, is
 * an absolute URI already, so that clients which only know `resource` can name it too. Several names of one target are one.
 */
function targetOf(params: FormParams): string {
  const resources = params.all("resource");
  if (resources.some((uri) => !URL.canParse(uri) || uri.includes("#")))
    throw new ProtocolError("invalid_target", "resource must be an absolute URI without a fragment");
  const [target, ...others] = new Set([...params.all("audience"), ...resources]);
  if (target === undefined) throw new ProtocolError("invalid_request", "parameter audience is missing");
  if (target.length > maxTargetLength)
    throw new ProtocolError("invalid_target", `a target's name has at most ${maxTargetLength} characters`);
  // RFC 8693 section 2.2.2: a token for several targets would be usable by each of them at the others.
  if (others.length > 0) throw new ProtocolError("invalid_target", "a token is issued for one target only");
  return target;
}

/**
 * RFC 8693 section 2.1. The actor is always the authenticated client; an actor token may only say so once more, signed by that
 * client, so that none can name another (delegation chain splicing). Undefined where there is none to judge.
 */
function actorTokenOf(params: FormParams): string | undefined {
  const [token, type] = [params.one("actor_token"), params.one("actor_token_type")];
  if ((token === undefined) !== (type === undefined))
    throw new ProtocolError("invalid_request", "actor_token and actor_token_type go together");
  if (token === undefined) return undefined;
  if (type !== tokenTypes.jwt)
    throw new ProtocolError("invalid_request", `parameter actor_token_type must be ${tokenTypes.jwt}`);
  // The very assertion that the client authenticated by has said so already.
  return token === params.one("client_assertion") ? undefined : token;
}

/** An exchange never widens scope: what is asked for must be in the subject token. Nothing asked for = all of it. */
function narrowScope(asked: string | undefined, subject: Subject): readonly string[] {
  if (asked === undefined) return subject.scope;
  const wanted = [...new Set(asked.split(" ").filter((one) => one !== ""))];
  const beyond = wanted.find((one) => !subject.scope.includes(one));
  if (beyond !== undefined)
    throw new ProtocolError("invalid_scope", "the scope asked for goes beyond that of the subject token");
  return wanted;
}

interface Issuance {
  readonly caller: string;
  readonly target: string;
  readonly scope: readonly string[];
  readonly now: number;
  /** The key that the token is bound to (RFC 9449 section 6). */
  readonly jkt: string | undefined;
  readonly options: TokenExchangeOptions;
}

function issuedClaims(subject: Subject, { caller, target, scope, now, jkt, options }: Issuance): JwtClaims {
  const iat = Math.floor(now);
  return {
    ...subject.claims,
    ...(scope.length > 0 ? { scope: scope.join(" ") } : { scope: undefined }),
    iss: options.issuer,
    aud: target,
    iat,
    nbf: iat,
    // A chain of exchanges never outlives the first token of it.
    exp: Math.min(iat + options.lifetimeSeconds, subject.expiresAt),
    jti: randomUUID(),
    client_id: caller,
    idp: subject.idp,
    act: subject.actor === undefined ? { sub: caller } : { sub: caller, act: subject.actor },
    ...(jkt !== undefined && { cnf: { jkt } }),
  };
}

import { peekJwt, verifyJwt, type VerifyResult } from "@portvakt/oauth";
import type { Provider } from "@portvakt/providers";
import { traced } from "@portvakt/runtime/observe";
import type { Connection, Discovered } from "../connections/connection.ts";
import { withPatience } from "../acquire/patience.ts";
import { judgeByReference } from "./by-reference.ts";
import { spans } from "../observed.ts";
import type { Remembered } from "./memory.ts";
import { activeBody, inactive, toleranceSeconds, type JudgeOptions, type Judgement } from "./judgement.ts";

/**
 * Judges an access token by the rules of one provider.
 *
 * Checks: all of `verifyJwt` (signature, issuer, audience, times), and that it is an access token. By-reference tokens are
 * asked about at the provider. Does not check: what the API itself requires.
 * Throws: nothing; a provider that cannot be reached, or that callers would have to wait for too long, makes every token inactive
 * that it is needed for, with the reason.
 */
export function judgeToken(
  options: JudgeOptions,
  connection: Connection,
  token: string,
): Judgement | Promise<Judgement> {
  if (token === "") return inactive("malformed", "there is no token");
  const { known } = connection;
  const remembered = known === undefined ? undefined : options.memory.find(token, known);
  if (remembered !== undefined) return remembered;
  return traced(spans.judge, (span) => {
    span.note({ provider: connection.provider.name });
    const noted = (judged: Judgement): Judgement => {
      span.note({ outcome: judged.active ? "active" : judged.code });
      return judged;
    };
    const judged =
      known === undefined
        ? judgeOnceFound(options, connection, token)
        : judgeUnder(options, connection, known, token);
    if (!(judged instanceof Promise)) return noted(judged);
    const { title } = connection.provider;
    const late = (seconds: number): Judgement =>
      inactive(
        "keys_unavailable",
        `${title} has not answered within ${seconds} s, so the token cannot be judged`,
      );
    return withPatience(connection.patience, judged, late).then(noted);
  });
}

async function judgeOnceFound(
  options: JudgeOptions,
  connection: Connection,
  token: string,
): Promise<Judgement> {
  const under = await connection.discover().catch(() => undefined);
  if (under !== undefined) return judgeUnder(options, connection, under, token);
  const { title } = connection.provider;
  return inactive("keys_unavailable", `${title} cannot be reached, so the token cannot be judged`);
}

function judgeUnder(
  options: JudgeOptions,
  connection: Connection,
  under: Discovered,
  token: string,
): Judgement | Promise<Judgement> {
  const { provider } = connection;
  if (provider.introspection.byReference === true && peekJwt(token) === undefined) {
    return judgeByReference(options, connection, under, token);
  }
  const result = verifyJwt(token, under.rules, options.now);
  return result instanceof Promise
    ? result.then((verified) => judgeVerified(options, provider, under, verified))
    : judgeVerified(options, provider, under, result);
}

function judgeVerified(
  { memory }: JudgeOptions,
  provider: Provider,
  under: Discovered,
  result: VerifyResult,
): Judgement {
  if (!result.ok) {
    const { code, message } = result.refusal;
    const foreign = code === "wrong_issuer" ? "token can not be validated with this identity provider: " : "";
    return inactive(code, foreign + message);
  }
  const objection = provider.introspection.objection(result.token);
  if (objection !== undefined) return inactive("typ_not_allowed", objection);
  const { claims, raw } = result.token;
  const { exp = 0, nbf = 0, iat = 0, cnf } = claims;
  const { fetchedAt: keysFetchedAt } = under.keys;
  const from = Math.max(nbf, iat) - toleranceSeconds;
  const judged: Remembered = { active: true, body: activeBody(claims), cnf, from, until: exp, keysFetchedAt };
  memory.add(raw, under, judged);
  return judged;
}

import { peekJwt, verifyJwt, type VerifyResult } from "@portvakt/oauth";
import type { Provider } from "@portvakt/providers";
import { traced } from "@portvakt/runtime/observe";
import type { Connection, Discovered } from "../connections/connection.ts";
import { judgeByReference } from "./by-reference.ts";
import { spans } from "../observed.ts";
import { activeBody, inactive, type JudgeOptions, type Judgement } from "./judgement.ts";

/**
 * Judges an access token by the rules of one provider.
 *
 * Checks: all of `verifyJwt` (signature, issuer, audience, times), and that it is an access token. By-reference tokens are
 * asked about at the provider. Does not check: what the API itself requires.
 * Throws: nothing; a provider that cannot be reached makes every unknown token inactive, with the reason.
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
    return judged instanceof Promise ? judged.then(noted) : noted(judged);
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
  const body = activeBody(claims);
  const { fetchedAt: keysFetchedAt } = under.keys;
  memory.add(raw, under, { active: true, body, exp: claims.exp ?? 0, keysFetchedAt });
  return { active: true, body };
}

import { peekJwt, verifyJwt } from "@portvakt/oauth";
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
  const { known } = connection;
  const remembered = known === undefined ? undefined : options.memory.find(token, known);
  if (remembered !== undefined) return remembered;
  return traced(spans.judge, async (span) => {
    span.note({ provider: connection.provider.name });
    const judged = await judgeUnknown(options, connection, token);
    span.note({ outcome: judged.active ? "active" : judged.code });
    return judged;
  });
}

async function judgeUnknown(
  options: JudgeOptions,
  connection: Connection,
  token: string,
): Promise<Judgement> {
  if (token === "") return inactive("malformed", "there is no token");
  const { provider } = connection;
  const under = connection.known ?? (await connection.discover().catch(() => undefined));
  if (under === undefined) {
    return inactive("keys_unavailable", `${provider.title} cannot be reached, so the token cannot be judged`);
  }
  if (provider.introspection.byReference === true && peekJwt(token) === undefined) {
    return judgeByReference(options, connection, under, token);
  }
  return verify(options, connection, under, token);
}

async function verify(
  { now, memory }: JudgeOptions,
  { provider }: Connection,
  under: Discovered,
  token: string,
): Promise<Judgement> {
  const result = await verifyJwt(token, under.rules, now);
  if (!result.ok) {
    const { code, message } = result.refusal;
    const foreign = code === "wrong_issuer" ? "token can not be validated with this identity provider: " : "";
    return inactive(code, foreign + message);
  }
  const objection = provider.introspection.objection(result.token);
  if (objection !== undefined) return inactive("typ_not_allowed", objection);
  const { claims } = result.token;
  const body = activeBody(claims);
  const { fetchedAt: keysFetchedAt } = under.keys;
  memory.add(token, under, { active: true, body, exp: claims.exp ?? 0, keysFetchedAt });
  return { active: true, body };
}

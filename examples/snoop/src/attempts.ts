import { askJson, type Answer } from "@portvakt/example-look";
import {
  requestAzureClientCredentialsToken,
  requestMaskinportenToken,
  requestTokenxOboToken,
} from "@portvakt/sdk";

export interface Targets {
  readonly cluster: string;
  readonly applicationApi: string;
  readonly caseApi: string;
  readonly taxAuthority: string;
}

/** What was tried, and what came of it. `reason` is what whoever refused had to say. */
export interface Attempt {
  readonly what: string;
  readonly outcome: "refused" | "succeeded";
  readonly by: string;
  readonly reason: string;
}

/** Tries every way that an application without permission could think of. */
export async function attempts(targets: Targets, userToken: string | undefined): Promise<Attempt[]> {
  return await Promise.all([
    withoutToken(targets),
    withOwnMaking(targets),
    asItself(targets),
    asOrganisation(targets),
    ...(userToken === undefined ? [] : [onBehalfOf(targets, userToken)]),
  ]);
}

async function withoutToken({ applicationApi }: Targets): Promise<Attempt> {
  const answer = await askJson(`${applicationApi}/api/application`, undefined);
  return judged("Ask application-api without a token", "application-api", answer);
}

/** A token that nobody signed: RFC 8725 section 3.2 says what becomes of it. */
async function withOwnMaking({ applicationApi, cluster }: Targets): Promise<Attempt> {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    iss: "me",
    aud: `${cluster}:benefits:application-api`,
    client_id: `${cluster}:benefits:portal`,
    pid: "12345678901",
  };
  const answer = await askJson(
    `${applicationApi}/api/application`,
    `${part({ alg: "none" })}.${part(claims)}.`,
  );
  return judged("Ask application-api with a token of its own making", "application-api", answer);
}

async function asItself({ caseApi, cluster }: Targets): Promise<Attempt> {
  const what = "Get a token for case-api as itself";
  const token = await requestAzureClientCredentialsToken(`${cluster}:benefits:case-api`);
  if (!token.ok) return { what, outcome: "refused", by: "Entra ID", reason: token.error.message };
  return judged(what, "case-api", await askJson(`${caseApi}/api/cases/approved`, token.token));
}

async function asOrganisation({ taxAuthority }: Targets): Promise<Attempt> {
  const what = "Get a scope of the tax authority's that was granted to nobody";
  const token = await requestMaskinportenToken("tax:wealth.read");
  if (!token.ok) return { what, outcome: "refused", by: "Maskinporten", reason: token.error.message };
  return judged(what, "tax-authority", await askJson(`${taxAuthority}/api/assessments`, token.token));
}

async function onBehalfOf({ applicationApi, cluster }: Targets, userToken: string): Promise<Attempt> {
  const what = "Exchange a citizen's token that it got hold of";
  const token = await requestTokenxOboToken(userToken, `${cluster}:benefits:application-api`);
  if (!token.ok) return { what, outcome: "refused", by: "TokenX", reason: token.error.message };
  return judged(what, "application-api", await askJson(`${applicationApi}/api/application`, token.token));
}

function judged(what: string, by: string, answer: Answer): Attempt {
  return answer.ok
    ? { what, outcome: "succeeded", by, reason: "it answered" }
    : { what, outcome: "refused", by, reason: `${answer.status}: ${answer.reason}` };
}

import { askJson, troubleStatus, type SeenCall } from "@portvakt/example-look";
import {
  requestAzureClientCredentialsToken,
  requestMaskinportenToken,
  type NotObtained,
} from "@portvakt/sdk";

export interface Addresses {
  readonly caseApi: { readonly url: string; readonly id: string };
  readonly taxAuthority: { readonly url: string };
}

/** One of the job's two questions, answered or not. `chain` tells what the API saw. */
export type Step =
  | { readonly ok: true; readonly rows: readonly Row[]; readonly chain: readonly SeenCall[] }
  | { readonly ok: false; readonly status: 500 | 503; readonly reason: string };
type Row = Readonly<Record<string, unknown>>;

/** Asks case-api for the approved cases, as the job itself: there is no user whose rights it could use. */
export async function approvedCases({ caseApi }: Addresses): Promise<Step> {
  const token = await requestAzureClientCredentialsToken(caseApi.id);
  if (!token.ok) return noToken("case-api", token);
  return await ask(`${caseApi.url}/api/cases/approved`, "cases", "case-api", token.token);
}

/** Asks another organisation for the tax, as this organisation. */
export async function taxAssessments({ taxAuthority }: Addresses): Promise<Step> {
  const token = await requestMaskinportenToken("tax:assessments.read");
  if (!token.ok) return noToken("the tax authority", token);
  return await ask(`${taxAuthority.url}/api/assessments`, "assessments", "the tax authority", token.token);
}

function noToken(who: string, { status, error }: NotObtained): Step {
  return { ok: false, status: troubleStatus(status), reason: `no token for ${who}: ${error.message}` };
}

async function ask(url: string, member: string, who: string, token: string): Promise<Step> {
  const answer = await askJson(url, token);
  if (!answer.ok)
    return { ok: false, status: troubleStatus(answer.status), reason: `${who}: ${answer.reason}` };
  const { [member]: rows, chain } = answer.body;
  return { ok: true, rows: Array.isArray(rows) ? rows : [], chain: Array.isArray(chain) ? chain : [] };
}

export interface Payout {
  readonly reference: string;
  /** Norwegian kroner, after tax. */
  readonly amount: number;
}

/** What a run came to. */
export interface Run {
  /** Seconds since the epoch. */
  readonly at: number;
  readonly payouts: readonly Payout[];
  readonly calls: readonly SeenCall[];
  readonly problems: readonly string[];
}

/** A whole run: approved cases, less tax. Pays nothing where one of the answers is missing. */
export async function runPayouts(addresses: Addresses, now: () => number): Promise<Run> {
  const at = now();
  const [cases, taxes] = await Promise.all([approvedCases(addresses), taxAssessments(addresses)]);
  const problems = [cases, taxes].flatMap((step) => (step.ok ? [] : [step.reason]));
  const calls = [cases, taxes].flatMap((step) => (step.ok ? step.chain : []));
  if (!cases.ok || !taxes.ok) return { at, payouts: [], calls, problems };
  const percent = new Map(taxes.rows.map((row) => [row["reference"], Number(row["taxPercent"])]));
  const payouts = cases.rows.map((row) => ({
    reference: String(row["reference"]),
    amount: Math.round((Number(row["amount"]) * (100 - (percent.get(row["reference"]) ?? 0))) / 100),
  }));
  return { at, payouts, calls, problems };
}

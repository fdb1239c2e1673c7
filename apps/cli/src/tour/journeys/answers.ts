import { Failed } from "../failed.ts";

type Json = Readonly<Record<string, unknown>>;

/** What an API of the demo says about the call that it got. */
export interface SeenCall {
  readonly at: string;
  readonly calledBy: string;
  readonly onBehalfOf: string | undefined;
}

/** The member `chain` of an answer: one entry for each application that the request went through. */
export function chainOf(answer: Json, where: string): SeenCall[] {
  const { chain } = answer as { chain?: unknown };
  if (!Array.isArray(chain)) throw new Failed(`${where} did not say who called it: ${brief(answer)}`);
  return chain.map((hop: Json) => ({
    at: textIn(hop, "at") ?? "",
    calledBy: textIn(hop, "calledBy") ?? "nobody",
    onBehalfOf: textIn(hop, "onBehalfOf"),
  }));
}

/** The entry of one application in the chain. */
export function hopAt(chain: readonly SeenCall[], at: string): SeenCall {
  const hop = chain.find((seen) => seen.at === at);
  if (hop === undefined)
    throw new Failed(
      `the request never reached ${at}: it went over ${chain.map((seen) => seen.at).join(", ")}`,
    );
  return hop;
}

/** Why an application could not answer, in its own words, or else the status. */
export function reasonOf(answer: Json, status: number): string {
  return textIn(answer, "reason") ?? `it answered ${status}`;
}

/** A member of a JSON object that is text. */
export function textIn(object: Json, name: string): string | undefined {
  const value = object[name];
  return typeof value === "string" ? value : undefined;
}

/** The start of a JSON answer, for a failure's sentence. */
export function brief(answer: Json): string {
  return JSON.stringify(answer).slice(0, 200);
}

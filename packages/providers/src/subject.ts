import { audiencesOf, type JwtClaims } from "@portvakt/oauth";
import type { SubjectProblem } from "./provider.ts";

/** Looks at the times of an unverified user token, with no tolerance: a provider would refuse it in a moment anyway. */
export function lookAtTimes(
  claims: JwtClaims,
  now: number,
  error: SubjectProblem["error"],
): SubjectProblem | undefined {
  const { exp } = claims;
  if (typeof exp !== "number" || exp > now) return undefined;
  return {
    error,
    description: `user_token expired ${Math.round(now - exp)} s ago`,
    hint: "the user's session has to be renewed: take the token from the request that you are answering, and do not store it",
  };
}

/** Says that an unverified user token is for somebody else; undefined when it is for one of `own`. */
export function wrongAudience(
  claims: JwtClaims,
  own: readonly string[],
  error: SubjectProblem["error"],
): SubjectProblem | undefined {
  const audiences = audiencesOf(claims);
  if (audiences.some((audience) => own.includes(audience))) return undefined;
  const held = audiences.length === 0 ? "nobody" : audiences.slice(0, 3).map(quoted).join(", ");
  return {
    error,
    description: `user_token is for ${held}, not for this application (${quoted(own[0] ?? "")})`,
    hint: "only the receiver of a token may exchange it: send the token that your caller sent to you, not one that you got for another application",
  };
}

function quoted(text: string): string {
  return `"${text.replaceAll(/[^\x20-\x7e]|["\\]/g, "?").slice(0, 120)}"`;
}

import { peekJwt } from "@portvakt/oauth";
import { meaningOf, type Known } from "./codes.ts";

/** What somebody wants explained, as far as its form tells. */
export type Subject =
  | { readonly kind: "decision"; readonly id: string; readonly known?: Known }
  | { readonly kind: "code"; readonly known: Known }
  | { readonly kind: "token"; readonly token: string };

const decisionId = /^[0-9a-hjkmnp-tv-z]{10}$/;

/**
 * Finds out what a text is: a decision's id, a code, a token, or a whole answer that holds one of these (JSON or a line of a
 * log). In an answer the decision says most, then a provider's code, then the protocol's.
 */
export function subjectOf(text: string): Subject | undefined {
  const bare = text.trim().replace(/^bearer\s+/i, "");
  if (peekJwt(bare) !== undefined) return { kind: "token", token: bare };
  const known = meaningOf(bare);
  if (known !== undefined) return { kind: "code", known };
  if (decisionId.test(bare)) return { kind: "decision", id: bare };
  const inside = codeIn(bare);
  const id = /"(?:decision_id|id)"\s*:\s*"([0-9a-hjkmnp-tv-z]{10})"/.exec(bare)?.[1];
  if (id !== undefined) return { kind: "decision", id, ...(inside === undefined ? {} : { known: inside }) };
  return inside === undefined ? undefined : { kind: "code", known: inside };
}

/** The code in a longer text: a provider's own, else what stands first or between underscores. */
function codeIn(text: string): Known | undefined {
  const providers = text.match(/AADSTS\d{4,9}|MP-\d{3}/g) ?? [];
  const words = text.match(/[a-z]+(?:_[a-z]+)+|^[a-z]+|(?<=")[a-z]+(?=")/g) ?? [];
  for (const word of [...providers, ...words]) {
    const known = meaningOf(word);
    if (known !== undefined) return known;
  }
  return undefined;
}

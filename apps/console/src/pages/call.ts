import { hindrances, ways, type Call, type Hindrance } from "@portvakt/policy";
import { html } from "hono/html";
import type { Html } from "./page.ts";
import { patch, shown } from "./parts.ts";

/** The ways of one call: yes or no, by which rule, and what stands in the way; what hinders several ways alike is said once. */
export function callAnswers(calls: readonly Call[]): Html {
  const said = new Set<string>();
  return html`${calls.map((call) => {
    const fresh = hindrances(call).filter(({ sentence }) => !said.has(sentence));
    for (const { sentence } of fresh) said.add(sentence);
    return callAnswer(call, fresh);
  })}`;
}

function callAnswer({ way, outcome, decision }: Call, hindering: readonly Hindrance[]): Html {
  const { title, provider } = ways[way];
  const verdict =
    outcome === "allow" ? html`<span class="dot good">yes</span>` : html`<span class="dot bad">no</span>`;
  return html`<h3>${verdict}, ${title}, by ${provider}</h3>
    ${outcome === "allow" ? html`<p>${shown(decision.explanation)}</p>` : hindering.map(hindranceLines)}`;
}

function hindranceLines({ sentence, owner, advice, fix }: Hindrance): Html {
  return html`<p>${shown(sentence)}</p>
    <p>Whose move: <strong>${owner}</strong>. ${advice}</p>
    ${fix === undefined ? "" : patch(fix)}`;
}

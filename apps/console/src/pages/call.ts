import { hindrances, ways, type Call, type Hindrance } from "@portvakt/policy";
import { html } from "hono/html";
import type { Html } from "./page.ts";
import { patch, placeOf, shown, verdict } from "./parts.ts";

/** One way of one call: yes or no, by which rule, and what stands in its way. */
export function callAnswer(call: Call): Html {
  const { title, provider } = ways[call.way];
  const { decision } = call;
  return html`<h3>${verdict(call.outcome)} ${title}, by ${provider}</h3>
    ${call.outcome === "allow" ? html`<p>${shown(decision.explanation)}</p>` : hindrances(call).map(hindranceCard)}
    ${decision.rule === undefined ? "" : html`<p class="soft">Rule: ${placeOf(decision.rule)}</p>`}`;
}

function hindranceCard({ sentence, owner, advice, fix }: Hindrance): Html {
  return html`<p>${shown(sentence)}</p>
    <p>Whose move: <strong>${owner}</strong>. ${advice}</p>
    ${fix === undefined ? "" : patch(fix)}`;
}

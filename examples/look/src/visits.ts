import { html } from "hono/html";

type Html = ReturnType<typeof html>;

/** A call that an API got: who called, for whom, and what came of it. */
export interface Visit {
  /** Seconds since the epoch. */
  readonly at: number;
  readonly caller: string;
  /** The end user, already masked; absent for a call without one. */
  readonly person?: string;
  readonly outcome: "answered" | "refused";
  readonly detail: string;
}

export interface Visits {
  add(visit: Visit): void;
  /** Newest first. */
  list(): readonly Visit[];
}

/** Keeps the last `most` visits in memory. */
export function createVisits(most = 20): Visits {
  const kept: Visit[] = [];
  return {
    add(visit) {
      kept.unshift(visit);
      kept.length = Math.min(kept.length, most);
    },
    list: () => kept,
  };
}

/** Birth date of an identity number, the rest hidden: enough to tell people apart, too little to be one. */
export function maskPerson(id: string): string {
  return `${id.slice(0, 6)}${"•".repeat(Math.max(0, id.length - 6))}`;
}

/** The visits as a list that reads well at any width. */
export function visitsList(visits: Visits): Html {
  const rows = visits.list();
  if (rows.length === 0) return html`<p class="soft">Nobody has called yet.</p>`;
  return html`<ul class="visits">
    ${rows.map(
      ({ at, caller, person, outcome, detail }) =>
        html`<li>
          <p><code>${caller}</code> ${forWhom(person, outcome)}</p>
          <p class="soft">
            ${new Date(at * 1000).toISOString().slice(11, 19)} ·
            <span class="${outcome === "answered" ? "good" : "bad"}">${outcome}</span>: ${detail}
          </p>
        </li>`,
    )}
  </ul>`;
}

function forWhom(person: string | undefined, outcome: Visit["outcome"]): Html | string {
  if (person !== undefined) return html`on behalf of <b>${person}</b>`;
  return outcome === "answered" ? "as itself" : "";
}

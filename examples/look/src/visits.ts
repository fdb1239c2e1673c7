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

/** The visits as a table that scrolls by itself on a narrow screen. */
export function visitsTable(visits: Visits): Html {
  const rows = visits.list();
  if (rows.length === 0) return html`<p class="soft">Nobody has called yet.</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Calls">
    <table>
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Caller</th>
          <th scope="col">On behalf of</th>
          <th scope="col">Outcome</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (visit) =>
            html`<tr>
              <td>${new Date(visit.at * 1000).toISOString().slice(11, 19)}</td>
              <td><code>${visit.caller}</code></td>
              <td>${visit.person ?? "nobody, itself"}</td>
              <td>
                <span class="${visit.outcome === "answered" ? "good" : "bad"}">${visit.outcome}</span>
                <span class="soft">${visit.detail}</span>
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

import { html } from "hono/html";

type Html = ReturnType<typeof html>;

/** A definition list; rows without a value are left out. */
export function facts(rows: Readonly<Record<string, string | undefined>>): Html {
  return html`<dl>
    ${Object.entries(rows).map(([name, value]) =>
      value === undefined
        ? ""
        : html`<dt>${name}</dt>
            <dd>${value}</dd>`,
    )}
  </dl>`;
}

/** One step of a request's way: where it was, and what the token said that it carried there. */
export interface Hop {
  readonly at: string;
  readonly says: string;
  readonly token?: Readonly<Record<string, string | undefined>>;
}

/** The way of one request through the chain of applications, top to bottom. */
export function chain(hops: readonly Hop[]): Html {
  return html`<ol class="chain">
    ${hops.map(
      (hop) =>
        html`<li>
          <h3>${hop.at}</h3>
          <p class="soft">${hop.says}</p>
          ${hop.token ? facts(hop.token) : ""}
        </li>`,
    )}
  </ol>`;
}

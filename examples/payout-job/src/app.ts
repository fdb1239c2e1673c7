import { callFacts, chain, showPage } from "@portvakt/example-look";
import { Hono } from "hono";
import { html } from "hono/html";
import { approvedCases, runPayouts, taxAssessments, type Addresses, type Run } from "./run.ts";

export interface PayoutJobOptions extends Addresses {
  /** Seconds since the epoch. */
  readonly now: () => number;
}

const everyMs = 15 * 60 * 1000;

/** The job: runs by itself, and when told to; the page shows what the last run came to. */
export function createApp(options: PayoutJobOptions): Hono {
  let last: Run | undefined;
  const run = async (): Promise<Run> => (last = await runPayouts(options, options.now));
  setInterval(() => void run(), everyMs).unref();

  const app = new Hono();
  app.get("/internal/:probe", (c) => c.text("ok"));
  app.post("/run/cases", async (c) => {
    const step = await approvedCases(options);
    return step.ok ? c.json(step) : c.json(step, step.status);
  });
  app.post("/run/assessments", async (c) => {
    const step = await taxAssessments(options);
    return step.ok ? c.json(step) : c.json(step, step.status);
  });
  app.post("/run", async (c) => {
    await run();
    return c.redirect("/", 303);
  });
  app.get("/", () => jobPage(last));
  return app;
}

function jobPage(last: Run | undefined): Promise<Response> {
  return showPage({
    title: "Payouts",
    organisation: "Benefits agency",
    application: "payout-job",
    lead: "Pays approved benefits less tax. No person is behind it: it calls case-api as itself, and the tax authority as the agency.",
    body: html`<section>
        <form method="post" action="/run"><button>Run now</button></form>
        ${last === undefined ? html`<p class="soft">It has not run yet.</p>` : ""}
      </section>
      ${last === undefined ? "" : runSections(last)}`,
  });
}

function runSections(run: Run): ReturnType<typeof html> {
  const kroner = new Intl.NumberFormat("en-GB");
  const at = new Date(run.at * 1000).toISOString().slice(11, 19);
  return html`${run.problems.map((problem) => html`<section class="notice" role="alert"><p>${problem}</p></section>`)}
    <section>
      <h2>Paid at ${at}</h2>
      <div class="scroll" tabindex="0" role="region" aria-label="Payouts">
        <table>
          <thead>
            <tr>
              <th scope="col">Case</th>
              <th scope="col">After tax</th>
            </tr>
          </thead>
          <tbody>
            ${run.payouts.map(
              ({ reference, amount }) =>
                html`<tr>
                  <td>${reference}</td>
                  <td>${kroner.format(amount)} kr</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </section>
    <section>
      <h2>Who was asked, and how</h2>
      ${chain(run.calls.map((call) => ({ at: call.at, says: says[call.at] ?? "", token: callFacts(call) })))}
    </section>`;
}

const says: Readonly<Record<string, string>> = {
  "case-api": "Entra ID gave the job a token in its own name (client credentials), with the role payouts.",
  "tax-authority": "Maskinporten gave the agency a token with the scope that the tax authority granted it.",
};

import { callerName, createVisits, seenCall, showPage, visitsList } from "@portvakt/example-look";
import { requireToken, type TokenVariables } from "@portvakt/sdk/hono";
import { Hono } from "hono";
import { html } from "hono/html";

const me = "tax-authority";
const scope = "tax:assessments.read";

/** The rate at which a benefit is taxed, by case. Invented. */
const assessments = [
  { reference: "B-11873", taxPercent: 24 },
  { reference: "B-12067", taxPercent: 0 },
] as const;

/** The tax authority's API for other organisations, and the page that shows which of them asked. `now` is in seconds. */
export function createApp({ now }: { now: () => number }): Hono<{ Variables: TokenVariables }> {
  const visits = createVisits();
  const app = new Hono<{ Variables: TokenVariables }>();
  app.get("/internal/:probe", (c) => c.text("ok"));

  const guard = requireToken({
    providers: "maskinporten",
    scope,
    onRefused: ({ error }) =>
      visits.add({ at: now(), caller: "somebody unknown", outcome: "refused", detail: error.message }),
  });
  app.get("/api/assessments", guard, (c) => {
    const caller = c.get("caller");
    visits.add({ at: now(), caller: callerName(caller), outcome: "answered", detail: scope });
    return c.json({ assessments, chain: [seenCall(me, caller, now())] });
  });

  app.get("/", () =>
    showPage({
      title: "Who read assessments",
      organisation: "Tax authority",
      application: me,
      lead: "An organisation that Maskinporten gave the scope tax:assessments.read may read them.",
      body: html`<section>
        <h2>Calls</h2>
        ${visitsList(visits)}
      </section>`,
    }),
  );
  return app;
}

import { callerName, createVisits, personOf, seenCall, showPage, visitsList } from "@portvakt/example-look";
import { requireToken, type TokenVariables } from "@portvakt/sdk/hono";
import type { ValidateOptions } from "@portvakt/sdk";
import { Hono } from "hono";
import { html } from "hono/html";
import { cases } from "./cases.ts";

const me = "case-api";

/** The cases: all of them for employees, the approved ones for the job that pays. `now` is in seconds. */
export function createApp({ now }: { now: () => number }): Hono<{ Variables: TokenVariables }> {
  const visits = createVisits();
  const app = new Hono<{ Variables: TokenVariables }>();
  app.get("/internal/:probe", (c) => c.text("ok"));

  const guard = (wanted: ValidateOptions): ReturnType<typeof requireToken> =>
    requireToken({
      providers: "entra_id",
      onRefused: ({ error }) =>
        visits.add({ at: now(), caller: "somebody unknown", outcome: "refused", detail: error.message }),
      ...wanted,
    });

  app.get("/api/cases", guard({ kind: "user" }), (c) => {
    const caller = c.get("caller");
    visits.add({
      at: now(),
      caller: callerName(caller),
      person: personOf(caller) ?? "",
      outcome: "answered",
      detail: "all cases",
    });
    return c.json({ cases, chain: [seenCall(me, caller, now())] });
  });

  // an application that calls as itself has no user whose rights could count: it needs a role of its own
  app.get("/api/cases/approved", guard({ kind: "machine", roles: "payouts" }), (c) => {
    const caller = c.get("caller");
    visits.add({ at: now(), caller: callerName(caller), outcome: "answered", detail: "approved cases" });
    const approved = cases.filter(({ status }) => status === "approved");
    return c.json({ cases: approved, chain: [seenCall(me, caller, now())] });
  });

  app.get("/", () =>
    showPage({
      title: "Who read the cases",
      organisation: "Benefits agency",
      application: me,
      lead: "Employees read cases through caseworker, in their own name. payout-job reads the approved ones as itself, with the role payouts.",
      body: html`<section>
        <h2>Calls</h2>
        ${visitsList(visits)}
      </section>`,
    }),
  );
  return app;
}

import {
  callerName,
  createVisits,
  maskPerson,
  personOf,
  seenCall,
  showPage,
  visitsList,
} from "@portvakt/example-look";
import { requireToken, type TokenVariables } from "@portvakt/sdk/hono";
import { Hono } from "hono";
import { html } from "hono/html";
import { incomeOf } from "./income.ts";

const me = "income-register";

/** The register's API, and the page that shows who asked. `now` is in seconds. */
export function createApp({ now }: { now: () => number }): Hono<{ Variables: TokenVariables }> {
  const visits = createVisits();
  const app = new Hono<{ Variables: TokenVariables }>();
  app.get("/internal/:probe", (c) => c.text("ok"));

  const guard = requireToken({
    providers: "tokenx",
    kind: "user",
    onRefused: ({ error }) =>
      visits.add({ at: now(), caller: "somebody unknown", outcome: "refused", detail: error.message }),
  });
  app.get("/api/income", guard, (c) => {
    const caller = c.get("caller");
    const person = personOf(caller) ?? "";
    visits.add({
      at: now(),
      caller: callerName(caller),
      person: maskPerson(person),
      outcome: "answered",
      detail: "three months",
    });
    return c.json({ income: incomeOf(person), chain: [seenCall(me, caller, now())] });
  });

  app.get("/", () =>
    showPage({
      title: "Who read the income register",
      organisation: "Income register",
      application: me,
      lead: "It tells a citizen's income to application-api only, and only on the citizen's behalf.",
      body: html`<section>
        <h2>Calls</h2>
        ${visitsList(visits)}
      </section>`,
    }),
  );
  return app;
}

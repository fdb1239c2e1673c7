import {
  askJson,
  callerName,
  createVisits,
  maskPerson,
  personOf,
  seenCall,
  showPage,
  troubleStatus,
  visitsList,
} from "@portvakt/example-look";
import { requestTokenxOboToken } from "@portvakt/sdk";
import { requireToken, type TokenVariables } from "@portvakt/sdk/hono";
import { Hono } from "hono";
import { html } from "hono/html";
import { applicationOf } from "./applications.ts";

const me = "application-api";

export interface ApplicationApiOptions {
  readonly incomeRegister: { readonly url: string; readonly id: string };
  /** Seconds since the epoch. */
  readonly now: () => number;
}

/** The API for applications, and the page that shows who asked. */
export function createApp({
  incomeRegister,
  now,
}: ApplicationApiOptions): Hono<{ Variables: TokenVariables }> {
  const visits = createVisits();
  const app = new Hono<{ Variables: TokenVariables }>();
  app.get("/internal/:probe", (c) => c.text("ok"));

  const guard = requireToken({
    providers: "tokenx",
    kind: "user",
    onRefused: ({ error }) =>
      visits.add({ at: now(), caller: "somebody unknown", outcome: "refused", detail: error.message }),
  });
  app.get("/api/application", guard, async (c) => {
    const caller = c.get("caller");
    const person = personOf(caller) ?? "";
    visits.add({
      at: now(),
      caller: callerName(caller),
      person: maskPerson(person),
      outcome: "answered",
      detail: "her application",
    });

    // the token that came in is for us alone: for the next API, TokenX makes another one, for the same citizen
    const token = await requestTokenxOboToken(caller.token, incomeRegister.id);
    if (!token.ok) {
      const reason = `no token for income-register: ${token.error.message}`;
      return c.json({ reason }, troubleStatus(token.status));
    }
    const income = await askJson(`${incomeRegister.url}/api/income`, token.token);
    if (!income.ok)
      return c.json({ reason: `income-register: ${income.reason}` }, troubleStatus(income.status));

    const further = Array.isArray(income.body["chain"]) ? income.body["chain"] : [];
    return c.json({
      application: applicationOf(person),
      income: income.body["income"],
      chain: [seenCall(me, caller, now()), ...further],
    });
  });

  app.get("/", () =>
    showPage({
      title: "Who asked for applications",
      organisation: "Benefits agency",
      application: me,
      lead: "It answers the portal, on behalf of the citizen who is signed in there, and asks the income register in her name.",
      body: html`<section>
        <h2>Calls</h2>
        ${visitsList(visits)}
      </section>`,
    }),
  );
  return app;
}

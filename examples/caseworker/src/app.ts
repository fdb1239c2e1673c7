import {
  askJson,
  callFacts,
  chain,
  facts,
  personOf,
  seenCall,
  showPage,
  troubleStatus,
  type SeenCall,
} from "@portvakt/example-look";
import { getToken, requestAzureOboToken, validateAzureToken, type Caller } from "@portvakt/sdk";
import { Hono } from "hono";
import { html } from "hono/html";

const me = "caseworker";
const organisation = "Benefits agency";

export interface CaseworkerOptions {
  readonly caseApi: { readonly url: string; readonly id: string };
  /** Seconds since the epoch. */
  readonly now: () => number;
}

interface CaseList {
  readonly cases: readonly {
    reference: string;
    benefit: string;
    citizen: string;
    status: string;
    amount: number;
  }[];
  readonly chain: readonly SeenCall[];
}

type Loaded =
  | { readonly ok: true; readonly list: CaseList }
  | { readonly ok: false; readonly status: 500 | 503; readonly reason: string };

/** The employee's page. The login proxy in front signs her in with Entra ID. */
export function createApp({ caseApi, now }: CaseworkerOptions): Hono {
  const app = new Hono();
  app.get("/internal/:probe", (c) => c.text("ok"));

  const employee = (request: Request): ReturnType<typeof validateAzureToken> =>
    validateAzureToken(getToken(request), { kind: "user" });

  const load = async (caller: Caller): Promise<Loaded> => {
    const token = await requestAzureOboToken(caller.token, caseApi.id);
    if (!token.ok) {
      const reason = `no token for case-api: ${token.error.message}`;
      return { ok: false, status: troubleStatus(token.status), reason };
    }
    const answer = await askJson(`${caseApi.url}/api/cases`, token.token);
    if (!answer.ok)
      return { ok: false, status: troubleStatus(answer.status), reason: `case-api: ${answer.reason}` };
    const list = answer.body as unknown as CaseList;
    const own = { ...seenCall(me, caller, now()), calledBy: "your browser, through the login proxy" };
    return { ok: true, list: { ...list, chain: [own, ...list.chain] } };
  };

  app.get("/api/cases", async (c) => {
    const signedIn = await employee(c.req.raw);
    if (!signedIn.ok) return c.json({ reason: signedIn.error.message }, 401);
    const loaded = await load(signedIn.caller);
    return loaded.ok ? c.json(loaded.list) : c.json({ reason: loaded.reason }, loaded.status);
  });

  app.get("/", async (c) => {
    const signedIn = await employee(c.req.raw);
    if (!signedIn.ok) return await notSignedIn(signedIn.error.message);
    return await casesPage(signedIn.caller, await load(signedIn.caller));
  });
  return app;
}

function notSignedIn(reason: string): Promise<Response> {
  const body = html`<section class="notice">
    <h2>You are not signed in</h2>
    <p>${reason}</p>
    <p><a class="button" href="/oauth2/login">Sign in</a></p>
  </section>`;
  return showPage({ title: "Cases", organisation, application: me, body }, 401);
}

function casesPage(caller: Caller, loaded: Loaded): Promise<Response> {
  const name = caller.user?.name ?? personOf(caller) ?? "";
  return showPage(
    {
      title: "Cases",
      organisation,
      application: me,
      lead: "The cases that you may see. case-api was asked in your name, not in the application's.",
      person: { name, signOut: "/oauth2/logout" },
      body: loaded.ok ? caseSections(caller, loaded.list) : trouble(loaded.reason),
    },
    loaded.ok ? 200 : loaded.status,
  );
}

function caseSections(caller: Caller, { cases, chain: hops }: CaseList): ReturnType<typeof html> {
  const kroner = new Intl.NumberFormat("en-GB");
  return html`<section>
      <h2>Open cases</h2>
      <div class="scroll" tabindex="0" role="region" aria-label="Open cases">
        <table>
          <thead>
            <tr>
              <th scope="col">Case</th>
              <th scope="col">Benefit</th>
              <th scope="col">Citizen</th>
              <th scope="col">Status</th>
              <th scope="col">A month</th>
            </tr>
          </thead>
          <tbody>
            ${cases.map(
              (one) =>
                html`<tr>
                  <td>${one.reference}</td>
                  <td>${one.benefit}</td>
                  <td>${one.citizen}</td>
                  <td>${one.status}</td>
                  <td>${kroner.format(one.amount)} kr</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </section>
    <section>
      <h2>You</h2>
      ${facts({ name: caller.user?.name, NAVident: caller.user?.NAVident, "user name": caller.user?.preferred_username })}
    </section>
    <section>
      <h2>How it came here</h2>
      <p class="soft">
        Each application got a token of its own, made for it alone, that says who calls and for whom.
      </p>
      ${chain(hops.map((call) => ({ at: call.at, says: says[call.at] ?? "", token: callFacts(call) })))}
    </section>`;
}

const says: Readonly<Record<string, string>> = {
  [me]: "You signed in with Entra ID. The login proxy keeps your session and hands caseworker this token.",
  "case-api": "Entra ID exchanged it, on your behalf, for one that is for case-api.",
};

function trouble(reason: string): ReturnType<typeof html> {
  return html`<section class="notice" role="alert">
    <h2>The cases cannot be shown right now</h2>
    <p>${reason}</p>
    <p><a class="button" href="/">Try again</a></p>
  </section>`;
}

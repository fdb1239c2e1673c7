import {
  askJson,
  callFacts,
  chain,
  facts,
  maskPerson,
  seenCall,
  showPage,
  troubleStatus,
  type Hop,
  type SeenCall,
} from "@portvakt/example-look";
import { getToken, requestTokenxOboToken, validateIdportenToken, type Caller } from "@portvakt/sdk";
import { Hono } from "hono";
import { html } from "hono/html";

const me = "portal";
const organisation = "Benefits agency";

export interface PortalOptions {
  readonly applicationApi: { readonly url: string; readonly id: string };
  /** Seconds since the epoch. */
  readonly now: () => number;
}

interface Overview {
  readonly application: { reference: string; benefit: string; submitted: string; status: string };
  readonly income: readonly { month: string; employer: string; amount: number }[];
  readonly chain: readonly SeenCall[];
}

type Loaded =
  | { readonly ok: true; readonly overview: Overview }
  | { readonly ok: false; readonly status: 500 | 503; readonly reason: string };

/** The citizen's page. The login proxy in front signs her in; whoever gets past it without a token gets no page. */
export function createApp({ applicationApi, now }: PortalOptions): Hono {
  const app = new Hono();
  app.get("/internal/:probe", (c) => c.text("ok"));

  /** Validates even behind the proxy: the portal trusts tokens, not the network. */
  const citizen = (request: Request): ReturnType<typeof validateIdportenToken> =>
    validateIdportenToken(getToken(request), { acr: "idporten-loa-substantial" });

  const load = async (caller: Caller): Promise<Loaded> => {
    const token = await requestTokenxOboToken(caller.token, applicationApi.id);
    if (!token.ok) {
      const reason = `no token for application-api: ${token.error.message}`;
      return { ok: false, status: troubleStatus(token.status), reason };
    }
    const answer = await askJson(`${applicationApi.url}/api/application`, token.token);
    if (!answer.ok)
      return { ok: false, status: troubleStatus(answer.status), reason: `application-api: ${answer.reason}` };
    const overview = answer.body as unknown as Overview;
    const own = { ...seenCall(me, caller, now()), calledBy: "your browser, through the login proxy" };
    return { ok: true, overview: { ...overview, chain: [own, ...overview.chain] } };
  };

  app.get("/api/overview", async (c) => {
    const signedIn = await citizen(c.req.raw);
    if (!signedIn.ok) return c.json({ reason: signedIn.error.message }, 401);
    const loaded = await load(signedIn.caller);
    return loaded.ok ? c.json(loaded.overview) : c.json({ reason: loaded.reason }, loaded.status);
  });

  app.get("/", async (c) => {
    const signedIn = await citizen(c.req.raw);
    if (!signedIn.ok) return await notSignedIn(signedIn.error.message);
    const loaded = await load(signedIn.caller);
    return await overviewPage(signedIn.caller, loaded);
  });
  return app;
}

function notSignedIn(reason: string): Promise<Response> {
  const body = html`<section class="notice">
    <h2>You are not signed in</h2>
    <p>${reason}</p>
    <p><a class="button" href="/oauth2/login">Sign in</a></p>
  </section>`;
  return showPage({ title: "Your benefits", organisation, application: me, body }, 401);
}

function overviewPage(caller: Caller, loaded: Loaded): Promise<Response> {
  const person = maskPerson(caller.user?.pid ?? caller.user?.sub ?? "");
  const level = caller.acr?.endsWith("high") === true ? "high" : "substantial";
  const who = html`<section>
    <h2>You</h2>
    ${facts({ "identity number": person, "signed in at level": level, with: "ID-porten" })}
  </section>`;
  return showPage(
    {
      title: "Your benefits",
      organisation,
      application: me,
      lead: "Your application, and the income that it is decided by. The agency fetched both on your behalf.",
      person: { name: person, signOut: "/oauth2/logout" },
      body: loaded.ok ? html`${who}${overviewCards(loaded.overview)}` : html`${trouble(loaded.reason)}${who}`,
    },
    loaded.ok ? 200 : loaded.status,
  );
}

function overviewCards({ application, income, chain: hops }: Overview): ReturnType<typeof html> {
  const kroner = new Intl.NumberFormat("en-GB");
  return html`<div class="cards">
      <section>
        <h2>${application.benefit}</h2>
        <p class="figure">${application.status}</p>
        ${facts({ reference: application.reference, submitted: application.submitted })}
      </section>
      <section>
        <h2>Income, last three months</h2>
        <p class="figure">${kroner.format(income.reduce((sum, { amount }) => sum + amount, 0))} kr</p>
        ${facts(Object.fromEntries(income.map(({ month, amount }) => [month, `${kroner.format(amount)} kr`])))}
      </section>
    </div>
    <section>
      <h2>How it came here</h2>
      <p class="soft">
        Each application got a token of its own, made for it alone, that says who calls and for whom.
      </p>
      ${chain(hops.map(hopOf))}
    </section>`;
}

const says: Readonly<Record<string, string>> = {
  [me]: "You signed in with ID-porten. The login proxy keeps your session and hands the portal this token.",
  "application-api": "TokenX exchanged the portal's token for one that is for application-api.",
  "income-register": "TokenX exchanged that one again. The portal itself would not be admitted here.",
};

function hopOf(call: SeenCall): Hop {
  const shown = call.onBehalfOf === undefined ? call : { ...call, onBehalfOf: maskPerson(call.onBehalfOf) };
  return { at: call.at, says: says[call.at] ?? "", token: callFacts(shown) };
}

function trouble(reason: string): ReturnType<typeof html> {
  return html`<section class="notice" role="alert">
    <h2>Your application cannot be shown right now</h2>
    <p>${reason}</p>
    <p><a class="button" href="/">Try again</a></p>
  </section>`;
}

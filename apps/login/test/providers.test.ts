import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { generateKeyPair, exportJWK } from "jose";
import { background, navigation, openBrowser } from "./browser.ts";
import { startProvider, type ProviderDouble } from "./provider-double.ts";
import { openStage, type Stage } from "./stage.ts";

const sessionName = "__Host-io.nais.wonderwall.session";

/** ID-porten for citizens and Entra ID for employees in front of one application. */
async function twoProviders(
  t: TestContext,
  env: Record<string, string> = {},
): Promise<Stage & { citizens: ProviderDouble; employees: ProviderDouble }> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const clientJwk = { ...(await exportJWK(privateKey)), kid: "k", alg: "RS256" };
  const clock = { now: () => 1_800_000_000 };
  const citizens = await startProvider({ clientId: "citizens", clientJwk, ...clock });
  const employees = await startProvider({
    clientId: "employees",
    clientJwk,
    ...clock,
    knobs: { par: false, announceIss: false, sub: "employee" },
  });
  const one = await openStage({
    env: {
      PORTVAKT_LOGIN_AUTO_LOGIN: "true",
      PORTVAKT_LOGIN_PROVIDERS: "idporten,entra",
      PORTVAKT_LOGIN_PROVIDER_PATHS: "/admin/**=entra",
      IDPORTEN_CLIENT_ID: "citizens",
      IDPORTEN_CLIENT_JWK: JSON.stringify(clientJwk),
      IDPORTEN_WELL_KNOWN_URL: citizens.wellKnownUrl,
      AZURE_APP_CLIENT_ID: "employees",
      AZURE_APP_JWK: JSON.stringify(clientJwk),
      AZURE_APP_WELL_KNOWN_URL: employees.wellKnownUrl,
      ...env,
    },
  });
  t.after(async () => {
    await one.close();
    await citizens.close();
    await employees.close();
  });
  return { ...one, citizens, employees };
}

test("users need 5: several providers, chosen on a neutral page in the browser's language", async (t) => {
  const { browser, ingress, citizens, employees } = await twoProviders(t);
  const page = await browser().go(`${ingress}/start?x=1`, { headers: { "accept-language": "en" } });
  assert.equal(page.status, 200);
  assert.match(page.body, /<html lang="en">[^]*How would you like to sign in\?/);
  assert.match(
    page.body,
    /href="\/oauth2\/login\?provider=idporten&#38;redirect=%2Fstart%3Fx%3D1"[^]*href="\/oauth2\/login\?provider=entra/,
  );
  assert.equal(citizens.count("/par") + employees.count("/authorize"), 0);
  const landed = await browser().go(`${ingress}/oauth2/login?provider=entra&redirect=/start`);
  assert.equal(landed.url, `${ingress}/start`);
  assert.equal(employees.count("/token"), 1);
});

test("the scopes, level and callback address of each provider are its own", async (t) => {
  const { browser, ingress, citizens, employees } = await twoProviders(t);
  await browser().go(`${ingress}/oauth2/login?provider=idporten`);
  const asked = citizens.requests.find((one) => one.path === "/par")?.form;
  assert.equal(asked?.get("acr_values"), "idporten-loa-high");
  assert.equal(asked?.get("redirect_uri"), `${ingress}/oauth2/callback`);
  const away = await browser().send(`${ingress}/oauth2/login?provider=entra`, { headers: navigation });
  const query = new URL(away.headers.location ?? "").searchParams;
  assert.equal(query.get("scope"), "openid api://employees/.default offline_access");
  assert.equal(query.get("acr_values"), null);
  assert.equal(query.get("redirect_uri"), `${ingress}/oauth2/callback/entra`);
  assert.equal(employees.count("/token"), 0);
});

test("mix-up (RFC 9700 section 4.4): an answer that comes to another provider's callback is refused, its code unspent", async (t) => {
  const { browser, ingress, citizens, employees } = await twoProviders(t);
  const user = browser();
  const away = await user.send(`${ingress}/oauth2/login?provider=entra`, { headers: navigation });
  const back = await openBrowser().send(away.headers.location ?? "");
  const misled = (back.headers.location ?? "").replace("/callback/entra", "/callback");
  assert.equal((await user.send(misled, { headers: navigation })).status, 401);
  assert.equal(citizens.count("/token") + employees.count("/token"), 0);
});

test("a path that is for employees is closed to citizens, in whatever letters", async (t) => {
  const { browser, ingress, upstream } = await twoProviders(t);
  const citizen = browser();
  await citizen.go(`${ingress}/oauth2/login?provider=idporten`);
  upstream.seen.length = 0;
  for (const path of ["/admin", "/admin/users", "/Admin/users"]) {
    const answer = await citizen.send(`${ingress}${path}`, { headers: background });
    assert.equal(answer.status, 401);
    assert.match(answer.headers.location ?? "", /&provider=entra$/);
  }
  assert.equal(
    (await citizen.send(`${ingress}/x/../admin`, { headers: background })).status,
    401,
    "the browser resolves it",
  );
  for (const path of [
    "/admin%2fusers",
    "/%61dmin/%e6",
    "/%61dmin%3f/users",
    "/%61dmin/users%23",
    "/%61dmin/%c0%ae/x",
  ])
    assert.equal((await citizen.send(`${ingress}${path}`, { headers: background })).status, 400, path);
  assert.equal(upstream.seen.length, 0);
  const employee = browser();
  assert.equal((await employee.go(`${ingress}/admin/users`)).url, `${ingress}/admin/users`);
  assert.notEqual(employee.cookie(sessionName), undefined);
});

test("an unknown provider in the query is refused", async (t) => {
  const { browser, ingress } = await twoProviders(t);
  assert.equal(
    (await browser().send(`${ingress}/oauth2/login?provider=evil`, { headers: navigation })).status,
    400,
  );
});

const unlisted = [
  { setting: "ACR_VALUES", value: "Level9", member: "acr_values_supported" },
  { setting: "UI_LOCALES", value: "xx", member: "ui_locales_supported" },
  { setting: "JWKS_FALLBACK_ALG", value: "ES256", member: "id_token_signing_alg_values_supported" },
  { setting: "CLIENT_JWK", value: undefined, member: "token_endpoint_auth_signing_alg_values_supported" },
];
for (const { setting, value, member } of unlisted) {
  test(`what the provider does not list is told: ${setting}`, async (t) => {
    const on = await openStage({
      env: value === undefined ? {} : { [`PORTVAKT_LOGIN_${setting}`]: value },
      knobs: {
        metadata: {
          token_endpoint_auth_signing_alg_values_supported: value === undefined ? ["ES256"] : ["RS256"],
        },
      },
    });
    t.after(() => on.close());
    await on.browser().send(`${on.ingress}/oauth2/login`, { headers: { accept: "text/html" } });
    const told = on.logs.filter((line) => line.includes("is not in the provider's"));
    assert.equal(told.length, 1);
    assert.ok(told[0]!.includes(`PORTVAKT_LOGIN_${setting} asks for`) && told[0]!.includes(member));
  });
}

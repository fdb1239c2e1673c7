import type { JwtClaims } from "@portvakt/oauth";
import { tokenEndpoint } from "@portvakt/issuer";
import { decide, type Decision } from "@portvakt/policy";
import { metadataFor } from "../addresses.ts";
import { get, post, standinApp, type Route, type Visit } from "../app.ts";
import { expiring, type Expiring } from "../expiring.ts";
import { errorPage } from "../pages/error.ts";
import { homePage } from "../pages/home.ts";
import { themes } from "../pages/layout.ts";
import { authorize, signIn } from "../signin/authorize.ts";
import {
  authorizationCodeGrant,
  refreshTokenGrant,
  type GrantRefusal,
  type SigninGrantOptions,
} from "../signin/grants.ts";
import type { Person } from "../signin/logins.ts";
import { logout } from "../signin/logout.ts";
import type { SigninProvider } from "../signin/provider.ts";
import { orderedClaims, type Parts, type Standin, type TokenOrder } from "../standin.ts";
import { applicationClaims, azpacrOf, idClaims, issuerOf, userClaims } from "./claims.ts";
import { anyTenant, entraAuthentication, entraDirectory, type Directory, type Tenant } from "./directory.ts";
import { entraError, inEntraWords, writeEntraError } from "./errors.ts";
import {
  askedAtToken,
  clientCredentialsGrant,
  entraAnswer,
  methodOf,
  onBehalfOfGrant,
  questionTo,
  type EntraCaller,
} from "./grants.ts";
import { entraMetadata, instanceDiscovery } from "./metadata.ts";
import { grantedScopes } from "./scopes.ts";
import { entraSignIn, personOf, tenantOf } from "./sign-in.ts";
import { entraUserinfo } from "./userinfo.ts";

/** Makes the double of Entra ID: one listener with every tenant, each with an issuer of its own. */
export function createEntra(parts: Parts): Standin {
  const directory = entraDirectory(parts);
  const people = expiring<Person>(parts.now);
  const provider = entraSignIn(parts, directory, people);
  return {
    name: "entra",
    issuer: issuerOf(parts.base, directory().firstTenant),
    signing: parts.signing,
    order: (order) => orderedToken(parts, directory(), order),
    fetch: standinApp({
      provider: "entra",
      routes: routes({ parts, directory, provider, people }),
      faults: parts.faults,
      recorder: parts.recorder,
      now: parts.now,
      closing: parts.closing,
      report: parts.report,
      writeError: (error, visit) => {
        const worded = inEntraWords(error);
        if (visit !== undefined && isForBrowsers(visit))
          return errorPage(themes.entra, worded, visit.request);
        return writeEntraError(worded, visit?.request ?? new Request(parts.base), parts.now(), parts.base);
      },
    }),
  };
}

interface Entra {
  readonly parts: Parts;
  readonly directory: () => Directory;
  readonly provider: SigninProvider;
  readonly people: Expiring<Person>;
}

function isForBrowsers(visit: Visit): boolean {
  return /\/(?:authorize|signin|logout)$/.test(new URL(visit.request.url).pathname);
}

function routes(entra: Entra): Route[] {
  const { parts, directory, provider } = entra;
  const token = tokensByTenant(entra);
  const metadata = ({ request, path }: Visit): Response =>
    metadataFor(parts, request, entraMetadata(parts.base, path["tenant"] ?? "", directory()));
  const out = {
    provider,
    signing: parts.signing,
    send: async () => undefined,
    unregistered: "stay" as const,
    withoutSession: "go on" as const,
    frontchannelMembers: (session: { sid: string }, visit: Visit) => ({
      iss: issuerOf(parts.base, tenantOf(directory(), visit)),
      sid: session.sid,
    }),
  };
  return [
    get("/", "other", (visit) =>
      homePage(
        themes.entra,
        entraMetadata(parts.base, directory().firstTenant.id, directory()),
        visit.request,
      ),
    ),
    get("/common/discovery/instance", "metadata", (visit) => instanceDiscovery(parts.base, visit)),
    get("/oidc/userinfo", "userinfo", (visit) => entraUserinfo(parts, directory(), entra.people, visit)),
    post("/oidc/userinfo", "userinfo", (visit) => entraUserinfo(parts, directory(), entra.people, visit)),
    get("/:tenant/v2.0/.well-known/openid-configuration", "metadata", metadata),
    get("/:tenant/discovery/v2.0/keys", "jwks", async () => Response.json(await parts.signing.jwks())),
    get("/:tenant/oauth2/v2.0/authorize", "authorize", (visit) => authorize(provider, visit)),
    post("/:tenant/oauth2/v2.0/authorize", "authorize", (visit) => authorize(provider, visit)),
    post("/:tenant/signin", "signin", (visit) => signIn(provider, visit)),
    post("/:tenant/oauth2/v2.0/token", "token", token),
    get("/:tenant/oauth2/v2.0/logout", "logout", (visit) => logout(out, visit)),
    post("/:tenant/oauth2/v2.0/logout", "logout", (visit) => logout(out, visit)),
  ];
}

/** A token endpoint per tenant, made when it is first asked for. */
function tokensByTenant(entra: Entra): (visit: Visit) => Promise<Response> {
  const made = entra.parts.registry.derived(() => new Map<string, (request: Request) => Promise<Response>>());
  return async (visit) => {
    const name = visit.path["tenant"] ?? "";
    const tenant = tenantOf(entra.directory(), visit);
    const key = anyTenant.has(name) ? `${name} ${tenant.id}` : tenant.id;
    const endpoint = made().get(key) ?? tenantTokens(entra, tenant, anyTenant.has(name) ? name : tenant.id);
    made().set(key, endpoint);
    return endpoint(visit.request);
  };
}

function tenantTokens(entra: Entra, tenant: Tenant, name: string): (request: Request) => Promise<Response> {
  const { parts, directory, provider, people } = entra;
  const authenticate = entraAuthentication(parts, directory, name);
  const context = { parts, directory, tenant, logins: provider.logins, people };
  const options = signInGrantOptions(entra, tenant);
  return tokenEndpoint<EntraCaller, Decision>({
    now: parts.now,
    authenticate: async (request) => ({
      ...(await authenticate(request)),
      azpacr: azpacrOf[methodOf(request)],
    }),
    grants: [
      authorizationCodeGrant(options),
      refreshTokenGrant(options),
      clientCredentialsGrant(context),
      onBehalfOfGrant(context),
    ],
    decide: (question) => decide(directory().policy, question),
    audit: (event) => parts.report.token("entra", event),
    writeError: (error, request) => writeEntraError(error, request, parts.now(), parts.base),
  });
}

function signInGrantOptions(
  { parts, directory, provider }: Entra,
  tenant: Tenant,
): SigninGrantOptions<EntraCaller, Decision> {
  return {
    logins: provider.logins,
    alsoReads: ["client_info"],
    // Entra ID gives a new refresh token at each use and goes on taking the old one.
    scopeStays: false,
    refreshOnce: () => false,
    endsWithSession: () => false,
    question: (login, client, asked, grant) => {
      const { resource, names } = askedAtToken(directory(), login, asked, tenant);
      return questionTo(resource, client, { grant, scope: names }).question;
    },
    answer: (login, client, asked, refresh, decision) => {
      const scopes = askedAtToken(directory(), login, asked, tenant);
      return entraAnswer(parts, {
        login,
        client,
        asked: scopes,
        scopes: grantedScopes(scopes, decision?.scopes ?? []),
        tenant,
        headers: asked.headers,
        clientInfo: asked.params.one("client_info") === "1",
        refresh,
      });
    },
    refuse: codeRefusal,
  };
}

const codeRefusals = {
  unknown_code: [
    70008,
    "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.",
  ],
  spent_code: [
    54005,
    "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
  ],
  redirect_mismatch: [
    50011,
    "The redirect URI specified in the request does not match the one of the authorization request.",
  ],
  pkce: [
    501481,
    "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
  ],
  unknown_refresh: [70000, "The provided value for the input parameter 'refresh_token' is not valid."],
  spent_refresh: [70000, "The provided value for the input parameter 'refresh_token' is not valid."],
} as const satisfies Record<GrantRefusal, readonly [Parameters<typeof entraError>[0], string]>;

function codeRefusal(reason: GrantRefusal): ReturnType<typeof entraError> {
  const [code, text] = codeRefusals[reason];
  return entraError(code, text);
}

function orderedToken(parts: Parts, directory: Directory, order: TokenOrder): JwtClaims {
  const tenant = order.tenant === undefined ? directory.firstTenant : directory.tenant(order.tenant);
  if (tenant === undefined) throw new RangeError(`there is no tenant ${order.tenant ?? ""}`);
  const client = directory.find(order.client_id ?? "") ?? directory.madeUp(order.client_id, tenant);
  const [audience] = order.audience === undefined ? [] : [order.audience].flat();
  const resource = audience === undefined ? client : directory.resource(audience, tenant);
  const about = { client, azpacr: "2", resource, tenant };
  if (order.persona === undefined)
    return orderedClaims(applicationClaims(parts, about, []), {
      ...order,
      audience: resource?.id ?? order.audience,
    });
  const employee = parts.personas.employees.find((one) => one.id === order.persona);
  if (employee === undefined) throw new RangeError(`there is no employee ${order.persona}`);
  const person = personOf(employee, directory);
  const now = Math.floor(parts.now());
  const usual =
    order.token === "id_token"
      ? idClaims(
          parts,
          {
            id: "",
            clientId: client.id,
            person,
            scope: [],
            resource: [],
            nonce: undefined,
            authTime: now,
            sid: "ordered",
            endsAt: now,
          },
          client,
        )
      : userClaims(parts, about, {
          person,
          scopes: (order.scope ?? "defaultaccess").split(" "),
          sid: undefined,
        });
  return orderedClaims(usual, {
    ...order,
    audience: order.token === "id_token" ? order.audience : (resource?.id ?? order.audience),
  });
}

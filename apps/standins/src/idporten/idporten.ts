import type { JwtClaims } from "@portvakt/oauth";
import { metadataDocument, tokenEndpoint, writeProtocolError } from "@portvakt/issuer";
import { metadataFor } from "../addresses.ts";
import { get, post, standinApp, type Route, type Visit } from "../app.ts";
import { expiring } from "../expiring.ts";
import { errorPage } from "../pages/error.ts";
import { homePage } from "../pages/home.ts";
import { themes } from "../pages/layout.ts";
import {
  introspection,
  revocation,
  userinfo,
  type AboutTokens,
  type IssuedTokens,
} from "../signin/about-tokens.ts";
import type { IdportenClient } from "../registrations.ts";
import { authorize, signIn } from "../signin/authorize.ts";
import { authorizationCodeGrant, refreshTokenGrant, type SigninGrantOptions } from "../signin/grants.ts";
import type { Login } from "../signin/logins.ts";
import { signInClients, type Caller, type Clients } from "../signin/clients.ts";
import { logout, sendByPost } from "../signin/logout.ts";
import { pushRequest } from "../signin/pushed.ts";
import type { SigninProvider } from "../signin/provider.ts";
import { orderedClaims, type Parts, type Standin, type TokenOrder } from "../standin.ts";
import { idportenSignIn, personOf } from "./sign-in.ts";
import { accessClaims, idClaims, idportenAnswer, pairwiseSubject } from "./tokens.ts";

const algorithms = ["RS256", "RS384", "RS512"] as const;

/** Makes the double of ID-porten. Its issuer has no slash at the end. */
export function createIdporten(parts: Parts): Standin {
  const clients = signInClients(parts, ({ idporten }) => idporten.clients, algorithms);
  const provider = idportenSignIn(parts, clients);
  const issued: IssuedTokens = { byReference: expiring(parts.now), loginOf: expiring(parts.now, 50_000) };
  return {
    name: "idporten",
    issuer: parts.base,
    signing: parts.signing,
    order: (order) => orderedToken(parts, clients, order),
    fetch: standinApp({
      provider: "idporten",
      routes: routes(parts, clients, provider, issued),
      faults: parts.faults,
      recorder: parts.recorder,
      now: parts.now,
      closing: parts.closing,
      report: parts.report,
      writeError: (error, visit) =>
        visit !== undefined && isForBrowsers(visit)
          ? errorPage(themes.idporten, error, visit.request)
          : writeProtocolError(error, visit?.request ?? new Request(parts.base)),
    }),
  };
}

const browserPaths: ReadonlySet<string> = new Set(["/authorize", "/signin", "/logout"]);

function isForBrowsers(visit: Visit): boolean {
  return browserPaths.has(new URL(visit.request.url).pathname);
}

function routes(
  parts: Parts,
  clients: Clients<IdportenClient>,
  provider: SigninProvider,
  issued: IssuedTokens,
): Route[] {
  const token = tokens(parts, clients, provider, issued);
  const metadata = ({ request }: Visit): Response =>
    metadataFor(parts, request, idportenMetadata(parts.base));
  const about: AboutTokens = {
    ...parts,
    issuer: parts.base,
    logins: provider.logins,
    issued,
    authenticate: clients.authenticate,
    endsWithSession: isOnlySignIn,
    proves: async () => true,
    describe: ({ person, clientId }) => ({
      sub: pairwiseSubject(person, clientId),
      ...person.claims,
      locale: person.locale ?? "nb",
    }),
  };
  const out = {
    provider,
    signing: parts.signing,
    send: sendByPost(parts.fetch),
    unregistered: "refuse" as const,
    withoutSession: "refuse" as const,
    frontchannelMembers: (session: { sid: string }) => ({ iss: parts.base, sid: session.sid }),
  };
  return [
    get("/", "other", (visit) => homePage(themes.idporten, idportenMetadata(parts.base), visit.request)),
    get("/.well-known/openid-configuration", "metadata", metadata),
    get("/.well-known/oauth-authorization-server", "metadata", metadata),
    get("/jwks.json", "jwks", async () => Response.json(await parts.signing.jwks())),
    post("/par", "par", (visit) =>
      pushRequest({ provider, authenticate: clients.authenticate, lifetimeSeconds: 120 }, visit),
    ),
    get("/authorize", "authorize", (visit) => authorize(provider, visit)),
    post("/authorize", "authorize", (visit) => authorize(provider, visit)),
    post("/signin", "signin", (visit) => signIn(provider, visit)),
    post("/token", "token", (visit) => token(visit.request)),
    get("/userinfo", "userinfo", (visit) => userinfo(about, visit)),
    post("/tokeninfo", "introspect", (visit) => introspection(about, visit)),
    post("/revoke", "revoke", (visit) => revocation(about, visit)),
    get("/logout", "logout", (visit) => logout(out, visit)),
    post("/logout", "logout", (visit) => logout(out, visit)),
  ];
}

function tokens(
  parts: Parts,
  clients: Clients<IdportenClient>,
  provider: SigninProvider,
  issued: IssuedTokens,
): (request: Request) => Promise<Response> {
  const options: SigninGrantOptions<Caller<IdportenClient>> = {
    logins: provider.logins,
    answer: (login, client, asked, refresh) =>
      idportenAnswer(parts, issued, { login, client, asked, refresh }),
    refreshOnce: (client) => client.registration.refresh_token_usage === "ONETIME",
    scopeStays: true,
    endsWithSession: isOnlySignIn,
  };
  return tokenEndpoint<Caller<IdportenClient>>({
    now: parts.now,
    authenticate: clients.authenticate,
    grants: [authorizationCodeGrant(options), refreshTokenGrant(options)],
    // Nothing that ID-porten issues is for another application: no grant asks, and what asks is refused.
    decide: () => ({ id: "none", outcome: "deny" }),
    audit: (event) => parts.report.token("idporten", event),
  });
}

/** Logout ends tokens for `openid` and `profile` alone; those for other scopes live on. */
function isOnlySignIn(login: Login): boolean {
  return login.scope.every((scope) => scope === "openid" || scope === "profile");
}

/** The discovery document, member for member as the provider's (OpenID Connect Discovery 1.0 section 3). */
function idportenMetadata(base: string): Record<string, unknown> {
  return metadataDocument({
    issuer: base,
    endpoints: {
      pushed_authorization_request: "/par",
      authorization: "/authorize",
      token: "/token",
      userinfo: "/userinfo",
      introspection: "/tokeninfo",
      revocation: "/revoke",
      end_session: "/logout",
    },
    jwksUri: "/jwks.json",
    grantTypes: ["authorization_code", "refresh_token"],
    authMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
    authAlgorithms: algorithms,
    more: {
      response_types_supported: ["code"],
      response_modes_supported: ["query", "form_post", "fragment"],
      subject_types_supported: ["pairwise"],
      id_token_signing_alg_values_supported: ["RS256"],
      request_object_signing_alg_values_supported: algorithms,
      code_challenge_methods_supported: ["S256"],
      scopes_supported: ["openid", "profile"],
      claims_supported: ["sub", "pid", "acr", "amr", "auth_time", "locale", "sid"],
      acr_values_supported: ["idporten-loa-substantial", "idporten-loa-high"],
      ui_locales_supported: ["nb", "nn", "en", "se"],
      prompt_values_supported: ["login", "none"],
      request_parameter_supported: true,
      request_uri_parameter_supported: false,
      require_pushed_authorization_requests: false,
      frontchannel_logout_supported: true,
      frontchannel_logout_session_supported: true,
      authorization_response_iss_parameter_supported: true,
    },
  });
}

function orderedToken(parts: Parts, clients: Clients<IdportenClient>, order: TokenOrder): JwtClaims {
  const clientId = order.client_id ?? "some-client";
  const known = clients.find(clientId)?.registration;
  const citizen = parts.personas.citizens.find((one) => one.id === (order.persona ?? "kari"));
  if (citizen === undefined) throw new RangeError(`there is no citizen ${order.persona ?? ""}`);
  const registration = known ?? {
    client_id: clientId,
    orgno: "889640782",
    access_token_lifetime: 600,
    frontchannel_logout_session_required: true,
  };
  const person = personOf(citizen);
  const scope = (order.scope ?? "openid profile").split(" ");
  const now = Math.floor(parts.now());
  const usual =
    order.token === "id_token"
      ? idClaims(
          parts,
          {
            id: "",
            clientId,
            person,
            scope,
            resource: [],
            nonce: undefined,
            authTime: now,
            sid: "ordered",
            endsAt: now,
          },
          registration,
        )
      : accessClaims(parts, { registration, person, scope, resource: [], method: "private_key_jwt" });
  return orderedClaims(usual, order);
}

import type { JwtClaims } from "@portvakt/oauth";
import { metadataDocument, tokenEndpoint, writeProtocolError } from "@portvakt/issuer";
import { metadataFor } from "../addresses.ts";
import { get, post, standinApp, type Route, type Visit } from "../app.ts";
import { expiring } from "../expiring.ts";
import { errorPage } from "../pages/error.ts";
import { homePage } from "../pages/home.ts";
import { themes } from "../pages/layout.ts";
import type { OpenidClient } from "../registrations.ts";
import { introspection, revocation, userinfo, type AboutTokens } from "../signin/about-tokens.ts";
import { authorize, signIn } from "../signin/authorize.ts";
import { signInClients, type Caller } from "../signin/clients.ts";
import { authorizationCodeGrant, refreshTokenGrant, type SigninGrantOptions } from "../signin/grants.ts";
import type { Login } from "../signin/logins.ts";
import { logout, sendByPost } from "../signin/logout.ts";
import { pushRequest } from "../signin/pushed.ts";
import { createSigning } from "../keys/signing.ts";
import { orderedClaims, textOf, type Parts, type Standin, type TokenOrder } from "../standin.ts";
import { openidSignIn, personaOf } from "./sign-in.ts";
import { accessClaims, idClaims, openidAnswer, ownTokenGrant, scopedClaims } from "./tokens.ts";

const algorithms = ["RS256", "PS256", "ES256"] as const;
const maxIssuers = 50;
const endpointPath =
  /^(?<path>.*?)\/(?:\.well-known\/[\w-]+|jwks|par|authorize|signin|token|userinfo|introspect|revoke|logout)$/;

/**
 * Makes a plain OpenID provider. It is the issuer at its root, and at any path below it: each path has keys, sessions
 * and codes of its own; the clients are the same.
 */
export function createOpenid(parts: Parts): Standin {
  const issuers = new Map([["", createIssuer(parts, "")]]);
  const at = (path: string): ((request: Request) => Promise<Response>) | undefined => {
    const known = issuers.get(path);
    if (known !== undefined || issuers.size >= maxIssuers || !/^(?:\/[\w.~-]{1,64}){1,8}$/.test(path))
      return known;
    const made = createIssuer(
      { ...parts, base: parts.base + path, signing: createSigning(parts.faults) },
      path,
    );
    issuers.set(path, made);
    return made;
  };
  return {
    name: "openid",
    issuer: parts.base,
    signing: parts.signing,
    order: (order) => orderedToken(parts, order),
    async fetch(request) {
      const url = new URL(request.url);
      const path = endpointPath.exec(url.pathname)?.groups?.["path"] ?? "";
      const issuer = at(path);
      if (issuer === undefined) return Response.json({ error: "not_found" }, { status: 404 });
      url.pathname = url.pathname.slice(path.length);
      return issuer(path === "" ? request : new Request(url, request));
    },
  };
}

function createIssuer(parts: Parts, path: string): (request: Request) => Promise<Response> {
  return standinApp({
    provider: "openid",
    routes: routes(parts, path),
    faults: parts.faults,
    recorder: parts.recorder,
    now: parts.now,
    closing: parts.closing,
    report: parts.report,
    writeError: (error, visit) =>
      visit !== undefined && /\/(?:authorize|signin|logout)$/.test(new URL(visit.request.url).pathname)
        ? errorPage(themes.openid, error, visit.request)
        : writeProtocolError(error, visit?.request ?? new Request(parts.base)),
  });
}

function routes(parts: Parts, path: string): Route[] {
  const clients = signInClients(parts, ({ openid }) => openid.clients, algorithms);
  const provider = openidSignIn(parts, path, clients);
  const { authenticate } = clients;
  const issued = { byReference: expiring<JwtClaims>(parts.now), loginOf: expiring<Login>(parts.now, 50_000) };
  const about: AboutTokens = {
    ...parts,
    issuer: parts.base,
    logins: provider.logins,
    issued,
    authenticate,
    endsWithSession: () => true,
    describe: ({ person, scope }) => ({ ...scopedClaims(person, scope), sub: textOf(person.claims["sub"]) }),
  };
  const grantOptions: SigninGrantOptions<Caller<OpenidClient>> = {
    logins: provider.logins,
    answer: (login, client, asked, refresh) =>
      openidAnswer(parts, about.issued, { login, client, asked, refresh }),
    refreshOnce: () => true,
    endsWithSession: () => true,
  };
  const token = tokenEndpoint<Caller<OpenidClient>>({
    now: parts.now,
    authenticate,
    grants: [authorizationCodeGrant(grantOptions), refreshTokenGrant(grantOptions), ownTokenGrant(parts)],
    decide: () => ({ id: "none", outcome: "deny" }),
    audit: (event) => parts.report.token("openid", event),
  });
  const out = {
    provider,
    signing: parts.signing,
    send: sendByPost(parts.fetch),
    unregistered: "refuse" as const,
    frontchannelMembers: (session: { sid: string }) => ({ iss: parts.base, sid: session.sid }),
  };
  const metadata = ({ request }: Visit): Response => metadataFor(parts, request, openidMetadata(parts.base));
  const pushing = {
    provider,
    authenticate,
    lifetimeSeconds: 60,
    prefix: "urn:ietf:params:oauth:request_uri:",
  };
  return [
    get("/", "other", ({ request }) => homePage(themes.openid, openidMetadata(parts.base), request)),
    get("/.well-known/openid-configuration", "metadata", metadata),
    get("/.well-known/oauth-authorization-server", "metadata", metadata),
    get("/jwks", "jwks", async () => Response.json(await parts.signing.jwks())),
    post("/par", "par", (visit) => pushRequest(pushing, visit)),
    get("/authorize", "authorize", (visit) => authorize(provider, visit)),
    post("/authorize", "authorize", (visit) => authorize(provider, visit)),
    post("/signin", "signin", (visit) => signIn(provider, visit)),
    post("/token", "token", ({ request }) => token(request)),
    get("/userinfo", "userinfo", (visit) => userinfo(about, visit)),
    post("/userinfo", "userinfo", (visit) => userinfo(about, visit)),
    post("/introspect", "introspect", (visit) => introspection(about, visit)),
    post("/revoke", "revoke", (visit) => revocation(about, visit)),
    get("/logout", "logout", (visit) => logout(out, visit)),
    post("/logout", "logout", (visit) => logout(out, visit)),
  ];
}

function openidMetadata(base: string): Record<string, unknown> {
  return metadataDocument({
    issuer: base,
    endpoints: {
      authorization: "/authorize",
      token: "/token",
      userinfo: "/userinfo",
      introspection: "/introspect",
      revocation: "/revoke",
      end_session: "/logout",
      pushed_authorization_request: "/par",
    },
    jwksUri: "/jwks",
    grantTypes: ["authorization_code", "refresh_token", "client_credentials"],
    authMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
    authAlgorithms: algorithms,
    more: {
      response_types_supported: ["code"],
      response_modes_supported: ["query", "fragment", "form_post"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
      code_challenge_methods_supported: ["S256"],
      scopes_supported: ["openid", "profile", "email", "offline_access"],
      ui_locales_supported: ["nb", "en"],
      request_parameter_supported: true,
      request_uri_parameter_supported: false,
      frontchannel_logout_supported: true,
      frontchannel_logout_session_supported: true,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      authorization_response_iss_parameter_supported: true,
    },
  });
}

function orderedToken(parts: Parts, order: TokenOrder): JwtClaims {
  const clientId = order.client_id ?? "some-client";
  const scope = (order.scope ?? "openid").split(" ");
  if (order.persona === undefined)
    return orderedClaims(
      accessClaims(parts, { clientId, subject: clientId, audience: parts.base, scope }),
      order,
    );
  const person = personaOf(parts.personas, order.persona);
  if (person === undefined || person === "cancels")
    throw new RangeError(`there is no persona ${order.persona}`);
  const subject = textOf(person.claims["sub"]);
  const now = Math.floor(parts.now());
  const login = {
    id: "",
    clientId,
    person,
    scope,
    resource: [],
    nonce: undefined,
    authTime: now,
    sid: "ordered",
    endsAt: now,
  };
  const usual =
    order.token === "id_token"
      ? idClaims(parts, login)
      : accessClaims(parts, { clientId, subject, audience: parts.base, scope });
  return orderedClaims(usual, order);
}

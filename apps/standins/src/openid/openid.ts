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
import { signInClients, type Caller, type Clients } from "../signin/clients.ts";
import { authorizationCodeGrant, refreshTokenGrant, type SigninGrantOptions } from "../signin/grants.ts";
import type { Login } from "../signin/logins.ts";
import {
  answerLogout,
  logout,
  sendByPost,
  type LogoutOptions,
  type LogoutWaiting,
} from "../signin/logout.ts";
import type { SigninProvider } from "../signin/provider.ts";
import { pushRequest } from "../signin/pushed.ts";
import { createSigning } from "../keys/signing.ts";
import { orderedClaims, pathOf, textOf, type Parts, type Standin, type TokenOrder } from "../standin.ts";
import { openidProofs, type Proofs } from "./proof.ts";
import { openidLevels, openidSignIn, personaOf } from "./sign-in.ts";
import {
  accessClaims,
  idClaims,
  openidAnswer,
  ownTokenGrant,
  scopedClaimNames,
  scopedClaims,
} from "./tokens.ts";

const algorithms = ["RS256", "PS256", "ES256"] as const;
const requestAlgorithms = ["RS256", "RS384", "RS512", "PS256", "ES256"] as const;
const maxIssuers = 50;
const endpointPath =
  /^(?<path>.*?)\/(?:\.well-known\/[\w-]+|jwks|par|authorize|signin|token|userinfo|introspect|revoke|logout|logout\/answer)$/;

/**
 * Makes a plain OpenID provider. It is the issuer at its root, and at any path below it: each path has keys, sessions
 * and codes of its own; the clients are the same.
 */
export function createOpenid(parts: Parts): Standin {
  const issuers = new Map([["", createIssuer(parts)]]);
  const at = (path: string): ((request: Request) => Promise<Response>) | undefined => {
    const known = issuers.get(path);
    if (known !== undefined || issuers.size >= maxIssuers || !/^(?:\/[\w.~-]{1,64}){1,8}$/.test(path))
      return known;
    const made = createIssuer({ ...parts, base: parts.base + path, signing: createSigning(parts.faults) });
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
      // RFC 8414 section 3.1: the well-known part may stand before the issuer's path.
      const inserted = /^(?<document>\/\.well-known\/[\w-]+)(?<issuer>\/.+)$/.exec(url.pathname)?.groups;
      if (inserted !== undefined) url.pathname = `${inserted["issuer"]}${inserted["document"]}`;
      const path = endpointPath.exec(url.pathname)?.groups?.["path"] ?? "";
      const issuer = at(path);
      if (issuer === undefined) return Response.json({ error: "not_found" }, { status: 404 });
      url.pathname = url.pathname.slice(path.length);
      return issuer(url.href === request.url ? request : new Request(url, request));
    },
  };
}

function createIssuer(parts: Parts): (request: Request) => Promise<Response> {
  return standinApp({
    provider: "openid",
    routes: routes(parts),
    faults: parts.faults,
    recorder: parts.recorder,
    now: parts.now,
    closing: parts.closing,
    report: parts.report,
    openToPages: ["token", "userinfo", "revoke"],
    writeError: (error, visit) =>
      visit !== undefined &&
      /\/(?:authorize|signin|logout|logout\/answer)$/.test(new URL(visit.request.url).pathname)
        ? errorPage(themes.openid, error, visit.request)
        : writeProtocolError(error, visit?.request ?? new Request(parts.base)),
  });
}

function routes(parts: Parts): Route[] {
  const clients = signInClients(parts, ({ openid }) => openid.clients, algorithms);
  const provider = openidSignIn(parts, clients);
  const proofs = openidProofs(parts);
  const { authenticate } = clients;
  const issued = { byReference: expiring<JwtClaims>(parts.now), loginOf: expiring<Login>(parts.now, 50_000) };
  const about: AboutTokens = {
    ...parts,
    issuer: parts.base,
    logins: provider.logins,
    issued,
    authenticate,
    endsWithSession: () => true,
    proves: (claims, token, visit) => proofs.atUserinfo(claims, token, visit),
    describe: ({ person, scope, claims }) => ({
      ...scopedClaims(person, scope, claims?.userinfo.keys()),
      sub: textOf(person.claims["sub"]),
    }),
  };
  const token = tokens(parts, clients, about, proofs);
  const out = leaving(parts, provider);
  const metadata = ({ request }: Visit): Response => metadataFor(parts, request, openidMetadata(parts.base));
  const pushing = {
    provider,
    authenticate,
    lifetimeSeconds: 60,
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
    post("/logout/answer", "logout", (visit) => answerLogout(out, visit)),
  ];
}

/** The token endpoint of this issuer. */
function tokens(
  parts: Parts,
  { authenticate }: Clients<OpenidClient>,
  about: AboutTokens,
  proofs: Proofs,
): (request: Request) => Promise<Response> {
  const grantOptions: SigninGrantOptions<Caller<OpenidClient>> = {
    logins: about.logins,
    answer: async (login, client, asked, refresh) =>
      openidAnswer(parts, about.issued, {
        login,
        client,
        asked,
        refresh,
        jkt: await proofs.atToken(asked.headers),
      }),
    refreshOnce: () => true,
    scopeStays: true,
    endsWithSession: () => true,
  };
  return tokenEndpoint<Caller<OpenidClient>>({
    now: parts.now,
    authenticate,
    grants: [
      authorizationCodeGrant(grantOptions),
      refreshTokenGrant(grantOptions),
      ownTokenGrant(parts, proofs),
    ],
    decide: () => ({ id: "none", outcome: "deny" }),
    audit: (event) => parts.report.token("openid", event),
  });
}

/** How sessions end at this issuer. */
function leaving(parts: Parts, provider: SigninProvider): LogoutOptions {
  return {
    provider,
    signing: parts.signing,
    send: sendByPost(parts.fetch),
    unregistered: "refuse" as const,
    withoutSession: "go on" as const,
    question: { waiting: expiring<LogoutWaiting>(parts.now), path: `${pathOf(parts)}/logout/answer` },
    frontchannelMembers: (session: { sid: string }) => ({ iss: parts.base, sid: session.sid }),
  };
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
      request_object_signing_alg_values_supported: requestAlgorithms,
      scopes_supported: ["openid", "profile", "email", "address", "phone", "offline_access"],
      claim_types_supported: ["normal"],
      claims_parameter_supported: true,
      claims_supported: ["sub", "iss", "auth_time", "acr", "amr", "sid", ...scopedClaimNames],
      acr_values_supported: openidLevels,
      display_values_supported: ["page", "popup"],
      prompt_values_supported: ["none", "login", "consent", "select_account"],
      ui_locales_supported: ["nb", "en"],
      dpop_signing_alg_values_supported: ["RS256", "PS256", "ES256", "EdDSA"],
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

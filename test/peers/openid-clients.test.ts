// Clients that are not ours sign people in at the stand-ins, each as its own documentation says, on the page without JavaScript.

import assert from "node:assert/strict";
import type { Server } from "node:http";
import { after, before, describe, test } from "node:test";
import { inspect } from "node:util";
import { Auth, type AuthConfig } from "@auth/core";
import { startStandins, type Standins } from "@portvakt/standins";
import express from "express";
import openidConnect from "express-openid-connect";
import session from "express-session";
import passport from "passport";
import { Strategy, type Profile, type VerifyCallback } from "passport-openidconnect";
import { listen, now } from "./starting.ts";
import { visitorWithoutScripts } from "./web.ts";

const secret = "a secret of at least 32 characters!";
const entraId = "7a1b7a39-0a0e-4b4a-9a35-5f1f2a6f0009";

/** An application, and where it lives. */
interface Running {
  readonly server: Server;
  readonly url: string;
}

let idp: Standins;
const running: Running[] = [];

before(async () => {
  idp = await startStandins({ now });
});
after(async () => {
  for (const { server } of running) {
    server.closeAllConnections();
    server.close();
  }
  await idp.close();
});

/** Starts an express application; `make` is told where it will be reached. */
async function serve(make: (url: string) => express.Express): Promise<string> {
  const found = Promise.withResolvers<express.Express>();
  const { server, url } = await listen((request, response) => {
    void found.promise.then((app) => app(request, response));
  });
  const address = url.replace("127.0.0.1", "localhost");
  running.push({ server, url: address });
  found.resolve(make(address));
  return address;
}

/** Registers one client at every provider that signs people in. */
function register(id: string, redirectUris: string[], out: string[] = []): void {
  const client = { client_secret: secret, redirect_uris: redirectUris, post_logout_redirect_uris: out };
  idp.register({
    openid: { clients: [{ ...client, client_id: id }] },
    idporten: { clients: [{ ...client, client_id: id }] },
    entra: {
      applications: [{ ...client, client_id: entraId, name: `local:test:${id}`, allow_all_users: true }],
    },
  });
}

/** Signs in on the page and gives what the application then shows. */
async function signIn(start: string, persona: string): Promise<{ url: string; text: string }> {
  const visitor = visitorWithoutScripts();
  const page = await visitor.open(start);
  assert.match(page.text, new RegExp(`value="${persona}"`, "u"), `no sign-in page but ${page.url}`);
  return visitor.press(page, "persona", persona);
}

describe("passport's OpenID strategy", () => {
  const providers = {
    openid: { persona: "kari", sees: "Kari Fjellrev", clientId: "passport" },
    entra: { persona: "anna", sees: "Anna Granskog", clientId: entraId },
  } as const;
  for (const [name, { persona, sees, clientId }] of Object.entries(providers) as [
    "openid" | "entra",
    (typeof providers)["openid" | "entra"],
  ][])
    test(`signs in at ${name}`, async () => {
      const issuer = idp.issuers[name];
      const metadata = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as Record<
        string,
        string
      >;
      const url = await serve((base) => {
        register("passport", [`${base}/callback`]);
        const app = express();
        const authenticator = new passport.Passport();
        authenticator.use(
          new Strategy(
            {
              issuer,
              authorizationURL: metadata["authorization_endpoint"] ?? "",
              tokenURL: metadata["token_endpoint"] ?? "",
              userInfoURL: metadata["userinfo_endpoint"] ?? "",
              clientID: clientId,
              clientSecret: secret,
              callbackURL: `${base}/callback`,
              scope: ["profile", "email"],
              skipUserProfile: name === "entra",
            },
            (_issuer: string, profile: Profile, done: VerifyCallback) => done(null, profile),
          ),
        );
        app.use(session({ secret, resave: false, saveUninitialized: false }));
        app.get("/", authenticator.authenticate("openidconnect", { session: false }));
        app.get(
          "/callback",
          authenticator.authenticate("openidconnect", { session: false }),
          (request, response) => {
            response.json(request.user);
          },
        );
        return app;
      });
      const shown = await signIn(url, persona);
      assert.match(shown.text, new RegExp(sees, "u"));
    });
});

describe("express-openid-connect", () => {
  test("signs in with PKCE, and out again by RP-initiated logout", async () => {
    const url = await serve((baseURL) => {
      register("express", [`${baseURL}/callback`], [baseURL]);
      const app = express();
      app.use(
        openidConnect.auth({
          issuerBaseURL: idp.issuers.openid,
          baseURL,
          clientID: "express",
          clientSecret: secret,
          secret,
          authRequired: false,
          idpLogout: true,
          authorizationParams: { response_type: "code", scope: "openid profile email" },
        }),
      );
      app.get("/", (request, response) => {
        response.send(
          request.oidc.isAuthenticated() ? `signed in: ${request.oidc.user?.["name"]}` : "nobody",
        );
      });
      app.get("/userinfo", openidConnect.requiresAuth(), async (request, response) => {
        response.json(await request.oidc.fetchUserInfo());
      });
      return app;
    });
    const visitor = visitorWithoutScripts();
    const home = await visitor.press(await visitor.open(`${url}/login`), "persona", "kari");
    assert.equal(home.text, "signed in: Kari Fjellrev");
    assert.match((await visitor.open(`${url}/userinfo`)).text, /kari@people\.example/u);
    const out = await visitor.open(`${url}/logout`);
    assert.equal(out.text, "nobody", "the hint was this session's: no question");
    assert.match(
      (await visitor.open(`${url}/login`)).text,
      /value="kari"/u,
      "the provider's session is over too",
    );
  });
});

describe("Auth.js", () => {
  const cases = {
    openid: { persona: "kari", clientId: "authjs", sees: /Kari Fjellrev/u },
    idporten: { persona: "kari", clientId: "authjs", sees: /17858430038/u },
    entra: { persona: "anna", clientId: entraId, sees: /Anna Granskog/u },
  } as const;
  for (const [name, { persona, clientId, sees }] of Object.entries(cases) as [
    keyof typeof cases,
    (typeof cases)[keyof typeof cases],
  ][])
    test(`signs in at ${name} with PKCE, state and nonce`, async () => {
      const { server, url } = await listen((incoming, outgoing) => {
        void (async () => {
          const chunks: Buffer[] = [];
          for await (const chunk of incoming) chunks.push(chunk as Buffer);
          const method = incoming.method ?? "GET";
          const request = new Request(new URL(incoming.url ?? "/", base), {
            method,
            headers: Object.entries(incoming.headers).flatMap(([key, value]) =>
              typeof value === "string" ? [[key, value] as [string, string]] : [],
            ),
            ...(method === "POST" ? { body: Buffer.concat(chunks) } : {}),
          });
          const response = await Auth(request, config);
          outgoing.writeHead(response.status, {
            ...Object.fromEntries(response.headers),
            "set-cookie": response.headers.getSetCookie(),
          });
          outgoing.end(Buffer.from(await response.arrayBuffer()));
        })();
      });
      const base = url.replace("127.0.0.1", "localhost");
      running.push({ server, url: base });
      register("authjs", [`${base}/auth/callback/standin`]);
      const config: AuthConfig = {
        secret,
        trustHost: true,
        basePath: "/auth",
        logger: { error: (error) => void problems.push(inspect(error.cause)) },
        providers: [
          {
            id: "standin",
            name: "Stand-in",
            type: "oidc",
            issuer: idp.issuers[name],
            clientId,
            clientSecret: secret,
            checks: ["pkce", "state", "nonce"],
            authorization: { params: { scope: "openid profile" } },
            // ID-porten's people have a number, and no name.
            profile: ({ sub, name: named, pid }) => ({ id: sub, name: named ?? (pid as string) }),
          },
        ],
      };
      const problems: string[] = [];
      const visitor = visitorWithoutScripts();
      const start = await visitor.open(`${base}/auth/signin`);
      const csrf = /name="csrfToken" value="([^"]+)"/u.exec(start.text)?.[1] ?? "";
      const body = new URLSearchParams({ csrfToken: csrf, callbackUrl: `${base}/auth/session` });
      const page = await visitor.open(`${base}/auth/signin/standin`, body);
      const shown = await visitor.press(page, "persona", persona);
      assert.match(shown.text, sees, problems.join("\n"));
    });
});

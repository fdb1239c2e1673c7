// Microsoft's own client library against the stand-in. It demands https; the stand-in has a public URL, and the library's
// network client hands its requests over in process.
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { after, before, describe, test } from "node:test";
import {
  ConfidentialClientApplication,
  CryptoProvider,
  type INetworkModule,
  type NodeAuthOptions,
} from "@azure/msal-node";
import { decodeJwt } from "jose";
import { startStandins, type Standins } from "../src/index.ts";
import { caseWorkers, ids, now, redirectUri, registrations } from "./kit.ts";

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const thumbprintSha256 = createHash("sha256").update("a certificate").digest("hex");
const tenant = "f8c6f6c6-a7d5-48a6-aec4-4ec1a4fee5d9";
const authority = `https://entra.localhost/${tenant}`;

describe("Microsoft's client library (@azure/msal-node)", () => {
  let idp: Standins;
  before(async () => {
    idp = await startStandins({ now, registrations, publicUrls: { entra: "https://entra.localhost" } });
    const [frontend] = registrations.entra?.applications ?? [];
    assert.ok(frontend);
    // The library names its key by a certificate's thumbprint and signs with PS256: one key, without kid and alg.
    const { kty = "", ...key } = pair.publicKey.export({ format: "jwk" });
    idp.register({ entra: { applications: [{ ...frontend, jwks: { keys: [{ ...key, kty }] } }] } });
  });
  after(() => idp.close());

  // The library names the body's type; that it is JSON is all that can be known here.
  const send: INetworkModule["sendPostRequestAsync"] = async (url, options) => {
    const init = {
      headers: { ...options?.headers },
      ...(options?.body === undefined ? {} : { method: "POST", body: options.body }),
    };
    const response = await idp.entra.fetch(new Request(url, init));
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.json(),
    };
  };
  const networkClient: INetworkModule = { sendGetRequestAsync: send, sendPostRequestAsync: send };
  const application = (auth: Partial<NodeAuthOptions>, clientId: string = ids.frontend) =>
    new ConfidentialClientApplication({
      auth: { clientId, authority, knownAuthorities: ["entra.localhost"], ...auth },
      system: { networkClient },
    });

  const proofs: [name: string, auth: Partial<NodeAuthOptions>, azpacr: string][] = [
    ["a client secret", { clientSecret: "secret-of-frontend" }, "1"],
    [
      "a certificate",
      {
        clientCertificate: {
          thumbprintSha256,
          privateKey: pair.privateKey.export({ format: "pem", type: "pkcs8" }),
        },
      },
      "2",
    ],
  ];
  for (const [name, auth, azpacr] of proofs) {
    test(`signs in, refreshes, and gets tokens for itself and on behalf of, with ${name}`, async () => {
      const app = application(auth);
      const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
      const scopes = [`api://${ids.frontend}/.default`];
      const url = await app.getAuthCodeUrl({
        scopes,
        redirectUri,
        codeChallenge: challenge,
        codeChallengeMethod: "S256",
        loginHint: "anna",
        state: "s",
        nonce: "n",
      });
      const answer = await idp.entra.fetch(new Request(url));
      const code = new URL(answer.headers.get("location") ?? "").searchParams.get("code") ?? "";
      const signedIn = await app.acquireTokenByCode({
        code,
        redirectUri,
        scopes,
        codeVerifier: verifier,
        nonce: "n",
      });
      assert.equal(signedIn.account?.username, "anna.granskog@agency.example");
      assert.equal(decodeJwt(signedIn.accessToken)["azpacr"], azpacr);
      assert.deepEqual(decodeJwt(signedIn.accessToken)["groups"], [caseWorkers]);

      assert.ok(signedIn.account);
      const refreshed = await app.acquireTokenSilent({
        account: signedIn.account,
        scopes,
        forceRefresh: true,
      });
      assert.notEqual(refreshed.accessToken, signedIn.accessToken);

      const onBehalf = await app.acquireTokenOnBehalfOf({
        oboAssertion: signedIn.accessToken,
        scopes: [`api://${ids.api}/.default`],
      });
      assert.equal(decodeJwt(onBehalf?.accessToken ?? "").aud, ids.api);
      assert.equal(decodeJwt(onBehalf?.accessToken ?? "")["NAVident"], "Z990001");

      const own = await app.acquireTokenByClientCredential({ scopes: [`api://${ids.api}/.default`] });
      assert.equal(decodeJwt(own?.accessToken ?? "")["idtyp"], "app");
    });
  }

  test("understands the refusals: the library reports the code and the correlation id", async () => {
    const app = application({ clientSecret: "secret-of-snoop" }, ids.snoop);
    await assert.rejects(
      app.acquireTokenByClientCredential({ scopes: [`api://${ids.api}/.default`] }),
      (error: { errorCode?: string; errorNo?: string; errorMessage?: string }) => {
        assert.equal(error.errorCode, "invalid_grant");
        assert.match(error.errorMessage ?? "", /AADSTS501051/);
        return true;
      },
    );
  });
});

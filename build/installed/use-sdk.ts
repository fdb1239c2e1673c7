// What an application does with the SDK, in a form that every runtime takes: no server, no file, no Node.js. It throws when
// anything is not as it should be, and is copied beside the installed package to run there.
import { createSdk, getToken, parseIdportenToken, validateToken } from "@portvakt/sdk";
import { requireToken } from "@portvakt/sdk/fetch";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

const now = 1_800_000_000;
const env = {
  TOKEN_X_ISSUER: "https://tokenx.example",
  TOKEN_X_JWKS_URI: "https://tokenx.example/jwks",
  TOKEN_X_CLIENT_ID: "local:benefits:api",
  NAIS_TOKEN_ENDPOINT: "http://token-api.example/api/v1/token",
};

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not so: ${what}`);
}

/** Uses the SDK as an application does. */
export async function use(): Promise<string> {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "one", alg: "RS256", use: "sig" }] };
  const answer = async (input: string | URL | Request): Promise<Response> => {
    const url = input instanceof Request ? input.url : String(input);
    return url === env.TOKEN_X_JWKS_URI
      ? Response.json(jwks)
      : Response.json({ access_token: "machine", expires_in: 60, token_type: "Bearer" });
  };
  const sdk = createSdk({ env, now: () => now, fetch: answer });
  const sign = (claims: Record<string, unknown>): Promise<string> =>
    new SignJWT({ ...citizen, ...claims }).setProtectedHeader({ alg: "RS256", kid: "one" }).sign(privateKey);
  const citizen = {
    ...{ iss: env.TOKEN_X_ISSUER, aud: env.TOKEN_X_CLIENT_ID, sub: "someone", pid: "12345678901" },
    ...{ client_id: "local:benefits:portal", acr: "Level4", iat: now, exp: now + 60, jti: "1" },
  };
  const good = await sign({});
  const accepted = await sdk.validateToken(good);
  expect(accepted.ok && accepted.caller.user?.pid === "12345678901", "a good token is accepted");
  const expired = await sdk.validateToken(await sign({ exp: now - 60 }));
  expect(!expired.ok && expired.errorType === "token expired", "an expired token is refused, by that name");
  const forged = await sdk.validateToken(`${good.slice(0, -8)}AAAAAAAA`);
  expect(!forged.ok && forged.code === "bad_signature", "a forged token is refused");
  const guarded = requireToken({ sdk, acr: "idporten-loa-high" })(
    (_request, caller) => new Response(caller.client),
  );
  const through = await guarded(
    new Request("https://api.example/", { headers: { authorization: `Bearer ${good}` } }),
  );
  expect((await through.text()) === "local:benefits:portal", "a guarded route is told who calls");
  const without = await guarded(new Request("https://api.example/"));
  expect(
    without.status === 401 && without.headers.get("www-authenticate") === "Bearer",
    "no token: a challenge",
  );
  const machine = await sdk.getMachineToken({ provider: "entra_id", target: "local:benefits:income" });
  expect(machine.ok && machine.token === "machine", "the token API is asked");
  expect(getToken("Bearer abc") === "abc", "getToken");
  const parsed = parseIdportenToken(good);
  expect(parsed.ok && parsed.pid === "12345678901", "parseIdportenToken");
  const unset = await validateToken(good);
  expect(!unset.ok && unset.code === "not_configured", "without variables: a result that says so");
  return "9 of 9";
}

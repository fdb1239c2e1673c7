// Every reason that a token is refused for, by whoever verifies it: a token that meets it, and one as the fix wants it.
import {
  backChannelLogoutEvent,
  createSigner,
  generatePrivateJwk,
  judgeIdToken,
  judgeLogoutToken,
  localKeySet,
  verifyJwt,
  type JwtClaims,
  type Signer,
  type VerifyResult,
  type VerifyRules,
} from "@portvakt/oauth";
import { now, type Scenarios } from "./kit.ts";

const issuer = "https://issuer.example";
const audience = "local:benefits:api";

export async function tokenScenarios(): Promise<Scenarios> {
  const signer = await createSigner(await generatePrivateJwk("RS256"));
  const stranger = await createSigner(await generatePrivateJwk("RS256"));
  const rules: VerifyRules = {
    issuer,
    audience,
    keys: localKeySet([signer.publicJwk]),
    algorithms: ["RS256"],
  };
  const usual = (): JwtClaims => ({
    iss: issuer,
    aud: audience,
    sub: "u",
    iat: now(),
    exp: now() + 60,
    jti: "1",
  });
  const verify = async (token: string, other: Partial<VerifyRules> = {}): Promise<string> =>
    said(await verifyJwt(token, { ...rules, ...other }, now));
  const right = async (): Promise<string> => verify(await signer.sign(usual()));
  const claims = (more: JwtClaims, by: Signer = signer) => ({
    wrong: async () => verify(await by.sign({ ...usual(), ...more })),
    fixed: right,
  });
  const header = (more: Record<string, unknown>) => ({
    wrong: async () => {
      const [, body, signature] = (await signer.sign(usual())).split(".");
      const head = Buffer.from(JSON.stringify({ alg: "RS256", kid: signer.kid, ...more })).toString(
        "base64url",
      );
      return verify(`${head}.${body}.${signature}`);
    },
    fixed: right,
  });
  const idToken = async (
    o: Partial<Parameters<typeof judgeIdToken>[1]>,
    more: JwtClaims = {},
  ): Promise<string> =>
    said(
      await judgeIdToken(
        await signer.sign({ ...usual(), ...more }),
        { rules, clientId: audience, nonce: undefined, ...o },
        now,
      ),
    );
  const logout = async (more: JwtClaims): Promise<string> =>
    said(
      await judgeLogoutToken(await signer.sign({ ...usual(), ...more }, { typ: "logout+jwt" }), rules, now),
    );
  const away = {
    find: () => Promise.resolve({ ok: false, code: "keys_unavailable", message: "away" } as const),
  };
  return {
    malformed: { wrong: () => verify("one.two"), fixed: right },
    too_large: claims({ groups: Array.from({ length: 2000 }, (_, index) => `group-${index}`) }),
    alg_not_allowed: header({ alg: "none" }),
    typ_not_allowed: header({ typ: "logout+jwt" }),
    critical_header: header({ crit: ["b64"] }),
    embedded_key: header({ jwk: stranger.publicJwk }),
    unknown_key: claims({}, stranger),
    keys_unavailable: { wrong: async () => verify(await signer.sign(usual()), { keys: away }), fixed: right },
    bad_signature: {
      wrong: async () => verify(`${(await signer.sign(usual())).slice(0, -8)}AAAAAAAA`),
      fixed: right,
    },
    missing_claim: {
      wrong: async () => {
        const { exp: _exp, ...others } = usual();
        return verify(await signer.sign(others));
      },
      fixed: right,
    },
    malformed_claim: claims({ nbf: "tomorrow" as unknown as number }),
    wrong_issuer: claims({ iss: "https://test.issuer.example" }),
    wrong_audience: claims({ aud: "local:benefits:other" }),
    expired: claims({ iat: now() - 600, exp: now() - 300 }),
    not_yet_valid: claims({ nbf: now() + 300 }),
    issued_in_future: claims({ iat: now() + 300, exp: now() + 600 }),
    wrong_nonce: {
      wrong: () => idToken({ nonce: "a" }, { nonce: "b" }),
      fixed: () => idToken({ nonce: "a" }, { nonce: "a" }),
    },
    wrong_authorized_party: {
      wrong: () => idToken({}, { azp: "another" }),
      fixed: () => idToken({}, { azp: audience }),
    },
    wrong_access_token_hash: {
      wrong: () => idToken({ accessToken: "a" }, { at_hash: "of-another" }),
      fixed: () => idToken({ accessToken: "a" }),
    },
    stale_authentication: {
      wrong: () => idToken({ maxAgeSeconds: 60 }, { auth_time: now() - 600 }),
      fixed: () => idToken({ maxAgeSeconds: 60 }, { auth_time: now() }),
    },
    not_a_logout_token: {
      wrong: () => logout({ sid: "s", events: {} }),
      fixed: () => logout({ sid: "s", events: { [backChannelLogoutEvent]: {} } }),
    },
  };
}

function said(result: VerifyResult): string {
  return result.ok ? "ok" : `${result.refusal.code}: ${result.refusal.message}`;
}

// The same for every runner: what a team's test does with the kit.
import { startStandins } from "@portvakt/testkit";

const redirectUri = "http://localhost:3000/callback";

export function start() {
  const client = { client_id: "app", client_secret: "at-least-8", redirect_uris: [redirectUri] };
  return startStandins({ registrations: { idporten: { clients: [client] }, openid: { clients: [client] } } });
}

/** Signs somebody in as an application does; gives the token endpoint's answer. */
export async function signIn(issuer, persona) {
  const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  const verifier = "v".repeat(43);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const query = new URLSearchParams({
    client_id: "app",
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "openid",
    state: "state",
    nonce: "nonce",
    login_hint: persona,
    code_challenge: Buffer.from(digest).toString("base64url"),
    code_challenge_method: "S256",
  });
  const answer = await fetch(`${metadata.authorization_endpoint}?${query}`, { redirect: "manual" });
  const code = new URL(answer.headers.get("location")).searchParams.get("code");
  const form = { grant_type: "authorization_code", code, code_verifier: verifier, redirect_uri: redirectUri };
  const response = await fetch(metadata.token_endpoint, {
    method: "POST",
    headers: { authorization: `Basic ${btoa("app:at-least-8")}` },
    body: new URLSearchParams(form),
  });
  return response.json();
}

export function claimsOf(token) {
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
}

/** What a claim of a token means here, in words. `at` is now, seconds since the epoch. */
export type ClaimWords = (value: unknown, at: number) => string;

const fixed =
  (words: string): ClaimWords =>
  () =>
    words;

/** Every claim that the platform's providers write. A claim that is not here is shown without words. */
const claimWords: Readonly<Record<string, ClaimWords>> = {
  iss: fixed("who issued it"),
  aud: fixed("whom it is for; nobody else may take it"),
  sub: fixed("the user, by a name of this receiver's own; without a user: the client"),
  exp: (value, at) => time(value, at, "ends", "ended"),
  nbf: (value, at) => time(value, at, "begins", "began"),
  iat: (value, at) => time(value, at, "will be issued", "was issued"),
  auth_time: (value, at) => time(value, at, "signs in", "the user signed in"),
  jti: fixed("its own number; a receiver may refuse to see it twice"),
  sid: fixed("the session that it came of; logout ends everything with it"),
  client_id: fixed("the client that it was issued to: the application that calls"),
  azp: fixed("the client that it was issued to: the application that calls"),
  azp_name: fixed("that application's name"),
  client_orgno: fixed("the organisation of that client"),
  appid: fixed("the client that it was issued to (version 1 of Entra ID's tokens)"),
  azpacr: (value) =>
    value === "2" ? "the client showed a signature for itself" : "how the client showed who it is",
  client_amr: fixed("how the client showed who it is"),
  act: fixed("who acted for the user, the latest first"),
  may_act: fixed("who alone may act for the user"),
  idp: fixed("the provider that the user signed in with"),
  pid: fixed("the citizen's national identity number"),
  acr: fixed("how surely it is that user: the level of assurance"),
  amr: fixed("how the user signed in"),
  locale: fixed("the user's language"),
  nonce: fixed("ties it to one sign-in"),
  at_hash: fixed("ties it to one access token"),
  scope: fixed("what it may be used for"),
  scp: fixed("what it may be used for, on behalf of the user"),
  roles: fixed("what the application may do as itself: permissions.roles of the target's rule"),
  groups: fixed("the user's groups, of those that the application declares"),
  idtyp: (value) => (value === "app" ? "an application's own token, without a user" : "a user's token"),
  NAVident: fixed("the employee's short name"),
  oid: fixed("the user, or the application, in the tenant"),
  tid: fixed("the tenant"),
  name: fixed("the user's name, for people to read: decide nothing by it"),
  preferred_username: fixed("the user's e-mail-like name, which may change: decide nothing by it"),
  ver: fixed("the version of Entra ID's token format"),
  uti: fixed("Entra ID's own number for it"),
  rh: fixed("Entra ID's own business"),
  aio: fixed("Entra ID's own business"),
  consumer: fixed("the organisation that asks"),
  supplier: fixed("the organisation that asks on the other's behalf"),
  delegation_source: fixed("where the delegation is registered"),
  consumer_org: fixed("the organisation that delegated"),
  authorization_details: fixed("what in particular it may be used for (RFC 9396)"),
  cnf: fixed("the key that its holder must show; sent as a plain Bearer token it must be refused"),
  token_type: fixed("the kind of token"),
};

/** The words for a claim, or nothing. */
export function wordsFor(name: string, value: unknown, at: number): string {
  return Object.hasOwn(claimWords, name) ? (claimWords[name]?.(value, at) ?? "") : "";
}

function time(value: unknown, at: number, ahead: string, past: string): string {
  if (typeof value !== "number" || !Number.isFinite(value)) return "is no time in seconds";
  const seconds = Math.round(value - at);
  return seconds > 0 ? `${ahead} in ${span(seconds)}` : `${past} ${span(-seconds)} ago`;
}

/** A number of seconds as people say it. */
export function span(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

import type { TokenRefusalCode } from "@portvakt/oauth";
import { meaning, type Meaning } from "./meaning.ts";

const again = "Get a new token, and send it whole and without the word Bearer.";

/** Why a token is refused by whoever verifies it. */
export const tokenRefusalMeanings: Readonly<Record<TokenRefusalCode, Meaning>> = {
  malformed: meaning("caller", "This is no signed JWT: it was cut off, quoted, or is something else.", again),
  too_large: meaning(
    "platform",
    "The token is larger than a receiver reads.",
    "Leave claims out, such as the groups of users that have hundreds.",
  ),
  alg_not_allowed: meaning(
    "caller",
    "The token is signed with an algorithm that the receiver does not accept; none and symmetric ones never are.",
    "Send a token that the provider issued, not one of your own making.",
  ),
  typ_not_allowed: meaning(
    "caller",
    "The token was made for another purpose, as its typ says: a logout token or a client assertion is no access token.",
    "Send the access token.",
  ),
  critical_header: meaning(
    "caller",
    "The token's header demands extensions (crit, b64) that the receiver does not know, and so must refuse.",
    "Use tokens without such extensions.",
  ),
  embedded_key: meaning(
    "caller",
    "The token's header brings a key of its own (jwk, jku, x5c, x5u). Whoever trusts that trusts anybody.",
    "Send a token whose header only names a key (kid) of the issuer's key set.",
  ),
  unknown_key: meaning(
    "platform",
    "The issuer's key set has no key by the token's kid: the issuer is another one, or the key was rotated out.",
    "Get a new token. If that is refused too, compare iss with the issuer that the receiver trusts: test and production are probably mixed up.",
  ),
  keys_unavailable: meaning(
    "platform",
    "The receiver could not fetch the issuer's key set, and held none that was recent enough.",
    "Open the way from the receiver to the issuer's jwks_uri; it tries again by itself.",
  ),
  bad_signature: meaning(
    "caller",
    "The token was changed after it was signed, or cut off at its end.",
    again,
  ),
  missing_claim: meaning(
    "platform",
    "A claim that the receiver needs is not in the token.",
    "Send an access token of the expected provider; iss, aud, exp and iat are in every one of those.",
  ),
  malformed_claim: meaning(
    "platform",
    "A claim has a value that makes no sense, such as a time that is no number of seconds.",
    "Write times as seconds since 1970, as numbers.",
  ),
  wrong_issuer: meaning(
    "caller",
    "The token is of an issuer that the receiver does not trust.",
    "Get the token from the provider that the receiver uses; test and production have different issuers.",
  ),
  wrong_audience: meaning(
    "caller",
    "The token was made for another application. A token opens one door only.",
    "Get a token for this receiver: exchange the one you have, with the receiver as target.",
  ),
  expired: meaning(
    "caller",
    "The token's time is over.",
    "Get a new token before the old one ends. If it should still live, compare the clocks (`portvakt doctor`).",
  ),
  not_yet_valid: meaning(
    "platform",
    "The token is valid from a moment on that has not come yet: the clocks of issuer and receiver differ.",
    "Set the clocks; more than 10 s is not tolerated.",
  ),
  issued_in_future: meaning(
    "platform",
    "The token was issued in the receiver's future: the clocks of issuer and receiver differ.",
    "Set the clocks; more than 10 s is not tolerated.",
  ),
  wrong_nonce: meaning(
    "user",
    "The ID token belongs to another sign-in than the one that is being finished.",
    "Start the sign-in again, in one window.",
  ),
  wrong_authorized_party: meaning(
    "platform",
    "The ID token was issued to another client (azp), or has more audiences than are trusted.",
    "Use the client ID that the sign-in began with.",
  ),
  wrong_access_token_hash: meaning(
    "platform",
    "The access token is not the one that the ID token was issued with (at_hash).",
    "Use both tokens of one answer.",
  ),
  stale_authentication: meaning(
    "user",
    "The user signed in longer ago than the application accepts (max_age).",
    "The user has to sign in again.",
  ),
  not_a_logout_token: meaning(
    "provider",
    "A logout token needs its event, a sid or sub, and no nonce; this one is otherwise.",
    "Send a logout token as OpenID Connect Back-Channel Logout section 2.4 has it.",
  ),
};

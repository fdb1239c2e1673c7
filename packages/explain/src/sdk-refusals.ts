import type { TokenRefusalCode } from "@portvakt/oauth";
import type { ValidationCode } from "@portvakt/sdk";
import { meaning, type Meaning } from "./meaning.ts";

type OwnCode = Exclude<ValidationCode, TokenRefusalCode>;

/** Why an application that uses the SDK refuses a call, beyond what is wrong with the token itself. */
export const sdkRefusalMeanings: Readonly<Record<OwnCode, Meaning>> = {
  no_token: meaning(
    "caller",
    "The request has no Authorization header, or one of another scheme than Bearer.",
    "Send Authorization: Bearer and a token made for this application. Behind a login proxy, check that the call comes through it.",
  ),
  malformed_header: meaning(
    "caller",
    "The Authorization header is not the word Bearer and one token, or there are several.",
    "Send one header, with one token and nothing else.",
  ),
  not_an_access_token: meaning(
    "caller",
    "The token says who signed in and opens nothing: it is, it seems, an ID token.",
    "Send the access token.",
  ),
  sender_constrained: meaning(
    "caller",
    "The token is bound to a key (cnf), and came without a proof that the caller has that key.",
    "Send it as Authorization: DPoP, with a proof made for this request (RFC 9449).",
  ),
  bad_proof: meaning(
    "caller",
    "The DPoP proof is missing, came before, or was made for another request, token or key (RFC 9449 section 4.3).",
    "Make a new proof for each request, of its method, its address and its token.",
  ),
  no_nonce: meaning(
    "caller",
    "The API wants a nonce of its own in the DPoP proof, and it is missing or older than five minutes (RFC 9449 section 9).",
    "Take the nonce from the answer's DPoP-Nonce header, put it into a new proof, and call once more.",
  ),
  too_many_proofs: meaning(
    "caller",
    "More DPoP proofs of one key, or of all callers together, came within two minutes than one process of the API remembers.",
    "Call more slowly. If it stays so, the API needs more replicas.",
  ),
  insufficient_scope: meaning(
    "caller",
    "The token lacks a scope that the route asks for; the challenge names it.",
    "Ask for that scope, or have the API's owner grant it.",
  ),
  insufficient_acr: meaning(
    "user",
    "The user signed in at a lower level than the route asks for (RFC 9470).",
    "Send the browser to sign in at the level that the challenge names in acr_values.",
  ),
  missing_role: meaning(
    "target",
    "The token has none of the roles that the route asks for.",
    "Give the caller a role, in the inbound rule of the target's manifest.",
  ),
  missing_group: meaning(
    "target",
    "The user is in none of the groups that the route asks for.",
    "Make the user a member, or add the group to the manifest of the target.",
  ),
  wrong_kind: meaning(
    "caller",
    "The route takes a token for a user and got an application's own, or the other way round.",
    "Exchange the user's token to call for a user; ask for a machine token to call as yourself.",
  ),
  wrong_caller: meaning(
    "target",
    "The calling application, or its organisation, is none of those that the route admits.",
    "Add it to the route's clients or organisations, if it should be one.",
  ),
  not_configured: meaning(
    "platform",
    "The application lacks the platform's variables for the provider.",
    "Enable the provider in the application's manifest, and deploy it again.",
  ),
  server_error: meaning(
    "target",
    "Something failed in the application while it judged the request, so nobody was let in.",
    "Have the application log what `onRefused` is told: the error's cause says what failed.",
  ),
};

/** Why there is no token, where it is not a provider that refused. */
export const sdkAcquireMeanings: Readonly<Record<"unreachable" | "bad_response", Meaning>> = {
  unreachable: meaning(
    "platform",
    "Nobody answered in time at the token API, or at the provider where there is none.",
    "Try again. If it stays so, check that NAIS_TOKEN_ENDPOINT is right and the token API is ready.",
  ),
  bad_response: meaning(
    "platform",
    "Something answered that is no token API and no provider.",
    "Check which address the token endpoint's variable holds, and for a proxy on the way.",
  ),
};

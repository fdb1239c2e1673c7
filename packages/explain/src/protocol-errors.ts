import type { ProtocolErrorCode } from "@portvakt/oauth";
import { meaning, type Meaning } from "./meaning.ts";

const signInAgain = "Send the browser to sign in.";
const describedThere = "The error_description says which, and what is wrong with it.";

/** What the error codes of the protocols mean on this platform. */
export const protocolErrorMeanings: Readonly<Record<ProtocolErrorCode, Meaning>> = {
  invalid_request: meaning(
    "caller",
    "A parameter is missing, repeated or malformed; at a token exchange also: the subject token is not accepted.",
    `Mend the parameter. ${describedThere}`,
  ),
  invalid_client: meaning(
    "platform",
    "The client is not known, or what it showed for itself is wrong: its assertion, key or secret.",
    "Restart the application to get its new credentials; if it is new, apply its manifest (`portvakt apply`).",
  ),
  invalid_grant: meaning(
    "caller",
    "What the token was asked for with is not valid: an expired or used code, a refresh token or a user token of another.",
    "Send the token that your caller sent to you, while it lives; a code, once.",
  ),
  unauthorized_client: meaning(
    "platform",
    "The client may not use this grant, or is not known in this tenant.",
    "Enable the provider in the application's manifest, and apply it.",
  ),
  unsupported_grant_type: meaning(
    "caller",
    "The authorization server does not have this grant type.",
    "Compare grant_type with grant_types_supported in the server's metadata.",
  ),
  invalid_scope: meaning(
    "caller",
    "A scope is unknown, malformed, or not this client's to ask for.",
    "Ask for a scope that the manifest declares; at a token exchange, for no more than the subject token has.",
  ),
  invalid_target: meaning(
    "caller",
    "There is no such target, or the target does not admit this application.",
    "`portvakt can <app> <target>` says which, with the manifest line.",
  ),
  access_denied: meaning(
    "target",
    "The target's access policy does not admit this application or this user; or the user cancelled the sign-in.",
    "`portvakt explain <decision_id>` names the manifest line, when the answer has a decision_id.",
  ),
  unsupported_response_type: meaning(
    "caller",
    "The provider does not do this kind of sign-in; implicit flows are refused everywhere.",
    "Use response_type=code, with PKCE.",
  ),
  server_error: meaning(
    "platform",
    "The server had an error of its own, which its log describes.",
    "Try again; if it stays, look into the server's log by the correlation id.",
  ),
  temporarily_unavailable: meaning(
    "platform",
    "The server, or something behind it, is away at the moment.",
    "Try again in a moment, with a growing pause.",
  ),
  interaction_required: meaning("user", "The provider has to ask the user something.", signInAgain),
  login_required: meaning("user", "Nobody is signed in, or no longer.", signInAgain),
  account_selection_required: meaning(
    "user",
    "Several accounts are signed in, and the user has to choose one.",
    `${signInAgain.slice(0, -1)}, with prompt=select_account.`,
  ),
  consent_required: meaning(
    "target",
    "The application is not admitted to what it asked for.",
    "Add an inbound rule for it to the target's manifest.",
  ),
  invalid_request_uri: meaning(
    "platform",
    "The pushed request is unknown, used up or too old: it lives for a minute or so, and once.",
    "Start the sign-in again.",
  ),
  invalid_request_object: meaning(
    "caller",
    "The signed request is not valid.",
    "Push the parameters instead (RFC 9126).",
  ),
  request_not_supported: meaning(
    "caller",
    "The provider takes no signed requests (parameter request).",
    "Push the parameters instead (RFC 9126).",
  ),
  request_uri_not_supported: meaning(
    "caller",
    "The provider takes no request_uri but those that it gave out itself.",
    "Push the parameters (RFC 9126), and use the request_uri of that answer.",
  ),
  registration_not_supported: meaning(
    "caller",
    "The provider takes no registration together with a sign-in.",
    "Register the client before.",
  ),
  invalid_token: meaning(
    "caller",
    "The bearer token is missing, expired, of another issuer, or made for another application.",
    "`portvakt inspect <token>` says which of these.",
  ),
  insufficient_scope: meaning(
    "caller",
    "The token is valid, but lacks a scope, role or group that this route asks for.",
    "Have it granted: permissions.scopes or permissions.roles of the inbound rule in the target's manifest.",
  ),
  insufficient_user_authentication: meaning(
    "user",
    "The user signed in with a lower level, or longer ago, than this route asks for (RFC 9470).",
    "Send the browser to sign in with the acr_values and max_age of the WWW-Authenticate header.",
  ),
  unsupported_token_type: meaning(
    "caller",
    "The server does not revoke tokens of this type.",
    "Let it expire, or end the session that it came of.",
  ),
  invalid_redirect_uri: meaning(
    "platform",
    "The redirect URI is not registered, or is none.",
    "Register it letter by letter; `portvakt doctor` lists those that the login proxies need.",
  ),
  invalid_client_metadata: meaning(
    "platform",
    "A registration has a field that is not accepted: often a private or weak key, or no kid.",
    `Mend the field. ${describedThere}`,
  ),
  invalid_software_statement: meaning(
    "platform",
    "The software statement is not of the registrar, lives too long, was used before, or is older than the one there is.",
    "Sign a new one with the registrar's key: `portvakt apply` does.",
  ),
  unapproved_software_statement: meaning(
    "platform",
    "The software statement is valid, and still not approved here.",
    "Ask whoever runs the server to approve it.",
  ),
  invalid_authorization_details: meaning(
    "caller",
    "authorization_details has a type, member or value that the provider does not know.",
    `Mend it. ${describedThere}`,
  ),
  invalid_dpop_proof: meaning(
    "caller",
    "The DPoP proof is missing, of another key or request, or too old (RFC 9449).",
    "Sign a new proof for every request, with its method, address and access token.",
  ),
  use_dpop_nonce: meaning(
    "caller",
    "The server wants its nonce in the DPoP proof (RFC 9449 section 8).",
    "Repeat the request with the nonce of the DPoP-Nonce header.",
  ),
};

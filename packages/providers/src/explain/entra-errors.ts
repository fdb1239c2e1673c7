import type { ErrorRow } from "./row.ts";

/** A row of Entra ID's. */
export interface EntraRow extends ErrorRow {
  /** The manifest lines that mend it, where a manifest does. */
  readonly manifest?: "inbound" | "groups";
}

const admit = "the target does not admit this application";
const admitFix = "Add an inbound rule to the target's manifest";

/** What Entra ID's codes mean on this platform. Codes and causes follow Microsoft's own list of AADSTS errors. */
export const entraErrors = {
  // the user's token, or code
  AADSTS50013: {
    owner: "application",
    cause:
      "the user token was not accepted as an assertion: it is expired, for another audience, or of another tenant",
    fix: "Send the token that your caller sent to you",
  },
  AADSTS50027: {
    owner: "application",
    cause: "the user token is not a valid JWT: it was cut off or changed on the way",
    fix: "Send the token that your caller sent to you, whole and without the word Bearer",
  },
  AADSTS240002: {
    owner: "application",
    cause: "the user token is an ID token, which says who signed in and opens nothing",
    fix: "Send the access token that your caller sent to you",
  },
  AADSTS500131: {
    owner: "application",
    cause: "the user token's audience is not this application",
    fix: "Only the receiver of a token may exchange it: send the token that your caller sent to you",
  },
  AADSTS500133: {
    owner: "application",
    cause: "the user token has expired",
    fix: "Exchange it while it lives, and hand its expiry on: answer 401, so that the caller brings a fresh one",
  },
  AADSTS7000114: {
    owner: "application",
    cause: "the user token is an application's own, and on-behalf-of needs one with a user",
    fix: "Call as yourself instead: ask for a token without a user token",
  },
  AADSTS54005: {
    owner: "application",
    cause: "the authorization code was redeemed before",
    fix: "Send the browser to sign in again, and redeem each code once",
  },
  AADSTS70000: {
    owner: "application",
    cause:
      "the authorization code or refresh token is not valid: it is unknown, of another client, or revoked",
    fix: "Send the browser to sign in again",
  },
  AADSTS70008: {
    owner: "application",
    cause: "the authorization code or refresh token has expired",
    fix: "Send the browser to sign in again, and redeem codes at once",
  },
  AADSTS501481: {
    owner: "application",
    cause: "the PKCE verifier does not belong to the challenge that the sign-in began with",
    fix: "Keep the verifier with the sign-in that it was made for, and send that one",
  },
  AADSTS50148: {
    owner: "application",
    cause: "the PKCE verifier does not belong to the challenge that the sign-in began with",
    fix: "Keep the verifier with the sign-in that it was made for, and send that one",
  },
  // who may use whom
  AADSTS50105: {
    owner: "target",
    cause:
      "the user is not a direct member of a group that has access to the target. Nested groups do not count",
    fix: "Give one of the user's groups access",
    manifest: "groups",
  },
  AADSTS501051: { owner: "target", cause: admit, fix: admitFix, manifest: "inbound" },
  AADSTS65001: { owner: "target", cause: admit, fix: admitFix, manifest: "inbound" },
  AADSTS65004: {
    owner: "user",
    cause: "the user cancelled, or declined what the application asked for",
    fix: "Let the user sign in again and agree",
  },
  AADSTS500011: {
    owner: "application",
    cause: "there is no application by this target's name in the tenant",
    fix: "Look for a misspelt cluster, namespace or name, or deploy the target with spec.azure.application.enabled",
  },
  // this application's registration and credentials
  AADSTS700016: {
    owner: "platform",
    cause:
      "this application's client ID is not known in the tenant: it was deleted, or the secret is of another tenant",
    fix: "Deploy the application again with spec.azure.application.enabled, so that it is registered",
  },
  AADSTS90002: {
    owner: "platform",
    cause: "the tenant does not exist: the configured token endpoint names another one",
    fix: "Use the token endpoint that the platform injects (AZURE_OPENID_CONFIG_TOKEN_ENDPOINT)",
  },
  AADSTS7000215: {
    owner: "platform",
    cause: "the client secret is wrong, often its ID instead of its value, or it was replaced",
    fix: "Restart the application to get the new one",
  },
  AADSTS7000222: {
    owner: "platform",
    cause: "the client secret has expired",
    fix: "Restart the application to get a new one",
  },
  AADSTS700021: {
    owner: "platform",
    cause: "the client assertion names one client, and client_id another",
    fix: "Sign the assertion with this client's own ID as iss and sub",
  },
  AADSTS700023: {
    owner: "platform",
    cause: "the client assertion is made for another audience than this token endpoint",
    fix: "Put the issuer or the token endpoint of the same tenant into aud, and nothing else",
  },
  AADSTS700024: {
    owner: "platform",
    cause: "the client assertion is not within its time: the clocks of this machine and Entra ID differ",
    fix: "Set the clock, and sign a new assertion for every request",
    passing: true,
  },
  AADSTS700027: {
    owner: "platform",
    cause: "the client assertion is signed with a key that is not registered: the key was rotated",
    fix: "Restart the application to get the new one",
  },
  AADSTS7000112: {
    owner: "platform",
    cause: "this application has been disabled in the tenant",
    fix: "Ask the tenant's administrators why, and to enable it again",
  },
  AADSTS7000218: {
    owner: "platform",
    cause: "no client assertion or secret came with the request",
    fix: "Send client_assertion with client_assertion_type, or client_secret",
  },
  AADSTS700211: {
    owner: "platform",
    cause: "no federated credential trusts the issuer of the workload's token",
    fix: "Register a federated credential with that issuer",
  },
  AADSTS70021: {
    owner: "platform",
    cause: "no federated credential matches the workload's token",
    fix: "Register a federated credential with the token's issuer, subject and audience",
  },
  AADSTS700212: {
    owner: "platform",
    cause: "no federated credential matches the audience of the workload's token",
    fix: "Ask for a workload token with the audience of the federated credential",
  },
  AADSTS700213: {
    owner: "platform",
    cause: "no federated credential matches the subject of the workload's token",
    fix: "Register a federated credential for this service account",
  },
  // the request
  AADSTS70011: {
    owner: "application",
    cause: "the scope is not valid",
    fix: "A target is cluster:namespace:app or api://cluster.namespace.app/.default",
  },
  AADSTS1002012: {
    owner: "application",
    cause: "with client credentials a scope must end in /.default",
    fix: "Write the target cluster:namespace:app",
  },
  AADSTS28000: {
    owner: "application",
    cause: "the scopes are of more than one target, and a token is for one",
    fix: "Ask once for each target",
  },
  AADSTS28002: {
    owner: "application",
    cause: "the scope does not belong to the target",
    fix: "Ask for /.default, or for a scope under permissions.scopes of the target's rule",
  },
  AADSTS50011: {
    owner: "platform",
    cause: "the redirect URI is not registered for this application",
    fix: "Register the login proxy's callback (the ingress and /oauth2/callback), letter by letter",
  },
  AADSTS70003: {
    owner: "application",
    cause: "the grant type is not one that Entra ID has",
    fix: "Use client_credentials, urn:ietf:params:oauth:grant-type:jwt-bearer, authorization_code or refresh_token",
  },
  AADSTS900144: {
    owner: "application",
    cause: "a parameter that is needed is missing from the request",
    fix: "Add the parameter that the description names",
  },
  AADSTS9000411: {
    owner: "application",
    cause: "a parameter stands in the request twice",
    fix: "Send the parameter that the description names once",
  },
  AADSTS9002313: {
    owner: "application",
    cause: "the request is malformed",
    fix: "Send a form (application/x-www-form-urlencoded) with the parameters of the grant",
  },
  AADSTS50196: {
    owner: "application",
    cause: "the same request was repeated too often in a short time",
    fix: "Keep the token until it expires",
  },
  // the user's sign-in
  AADSTS16000: {
    owner: "user",
    cause: "several accounts are signed in, and nobody said which one to use",
    fix: "Send the browser to sign in, with a login_hint or with the choice of accounts",
  },
  AADSTS50058: {
    owner: "user",
    cause: "a silent sign-in (prompt=none) was asked for, and nobody is signed in",
    fix: "Send the browser to sign in without prompt=none",
  },
  AADSTS50076: {
    owner: "user",
    cause: "the user has to sign in again with multi-factor authentication",
    fix: "Send the browser to sign in, with the claims that the answer names",
  },
  AADSTS50078: {
    owner: "user",
    cause: "the user's multi-factor sign-in has expired",
    fix: "The user has to sign in again",
  },
  AADSTS50079: {
    owner: "user",
    cause: "the user has to register for multi-factor authentication",
    fix: "Send the browser to sign in, where the registration is offered",
  },
  AADSTS50158: {
    owner: "user",
    cause: "the user has to meet a further sign-in requirement",
    fix: "Send the browser to sign in",
  },
  AADSTS53000: {
    owner: "user",
    cause: "conditional access requires a compliant device, and this one is not",
    fix: "Sign in from a device that the organisation manages",
  },
  AADSTS53001: {
    owner: "user",
    cause: "conditional access requires a domain-joined device, and this one is not",
    fix: "Sign in from a device that has joined the domain",
  },
  AADSTS53003: {
    owner: "user",
    cause: "conditional access blocks the user here (place, device or risk)",
    fix: "Signing in again from an approved device may help",
  },
  AADSTS530032: {
    owner: "user",
    cause: "a security policy of the tenant blocks the user",
    fix: "Ask the tenant's administrators",
  },
  AADSTS50173: {
    owner: "user",
    cause: "the user's grant was revoked, often by a new password",
    fix: "The user has to sign in again",
  },
  AADSTS700082: {
    owner: "user",
    cause: "the user's refresh token has expired",
    fix: "The user has to sign in again",
  },
  AADSTS50057: {
    owner: "user",
    cause: "the user's account is disabled",
    fix: "Ask the tenant's administrators",
  },
  AADSTS50034: {
    owner: "user",
    cause: "the user does not exist in this tenant",
    fix: "Sign in with an account of this tenant",
  },
  AADSTS50020: {
    owner: "user",
    cause: "the user's account is of another tenant than this application",
    fix: "Sign in with an account of this tenant, or invite the user as a guest",
  },
  // Entra ID itself
  AADSTS70012: {
    owner: "provider",
    cause: "Entra ID had an error of its own",
    fix: "Try again: the same request may work in a moment",
    passing: true,
  },
  AADSTS90033: {
    owner: "provider",
    cause: "Entra ID is having trouble",
    fix: "Try again: the same request may work in a moment",
    passing: true,
  },
  AADSTS90024: {
    owner: "provider",
    cause: "Entra ID is having trouble",
    fix: "Try again: the same request may work in a moment",
    passing: true,
  },
} as const satisfies Readonly<Record<string, EntraRow>>;

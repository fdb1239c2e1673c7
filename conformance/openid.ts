// OpenID Connect: what a client checks of an ID token and of a logout token.

import { sha256 } from "@portvakt/oauth";
import { accepted, at, clientId, judgedIdToken, judgedLogoutToken, refused } from "./subjects.ts";
import type { Specification } from "./table.ts";

/** The left half of the hash of an access token (ES256 and RS256: SHA-256). */
const atHash = async (accessToken: string): Promise<string> =>
  Buffer.from(await sha256(accessToken), "base64url")
    .subarray(0, 16)
    .toString("base64url");

export const openidCore: Specification = {
  name: "OpenID Connect Core",
  title: "ID token validation",
  requirements: [
    {
      section: "3.1.3.7",
      level: "must",
      says: "a right ID token is accepted",
      run: async () => accepted(await judgedIdToken()),
    },
    {
      section: "3.1.3.7, 2",
      level: "must",
      says: "iss is exactly the provider's issuer",
      run: async () => refused(await judgedIdToken({ iss: "https://other.example" }), "wrong_issuer"),
    },
    {
      section: "3.1.3.7, 3",
      level: "must",
      says: "aud holds the client",
      run: async () => refused(await judgedIdToken({ aud: "api" }), "wrong_audience"),
    },
    {
      section: "3.1.3.7, 3",
      level: "must",
      says: "an audience that is not trusted is refused",
      run: async () =>
        refused(await judgedIdToken({ aud: [clientId, "other"], azp: clientId }), "wrong_audience"),
    },
    {
      section: "3.1.3.7, 4",
      level: "should",
      says: "several audiences need an azp",
      run: async () => {
        refused(
          await judgedIdToken({ aud: [clientId, "friend"] }, { trustedAudiences: ["friend"] }),
          "wrong_authorized_party",
        );
        accepted(
          await judgedIdToken({ aud: [clientId, "friend"], azp: clientId }, { trustedAudiences: ["friend"] }),
        );
      },
    },
    {
      section: "3.1.3.7, 5",
      level: "should",
      says: "azp is the client",
      run: async () => refused(await judgedIdToken({ azp: "other" }), "wrong_authorized_party"),
    },
    {
      section: "3.1.3.7, 9",
      level: "must",
      says: "an expired ID token is refused",
      run: async () => refused(await judgedIdToken({ exp: at - 60 }), "expired"),
    },
    {
      section: "3.1.3.7, 10",
      level: "may",
      says: "an ID token from the future is refused",
      run: async () => refused(await judgedIdToken({ iat: at + 60 }), "issued_in_future"),
    },
    {
      section: "3.1.3.7, 11",
      level: "must",
      says: "the nonce is the one that was sent",
      run: async () => refused(await judgedIdToken({ nonce: "n-2" }), "wrong_nonce"),
    },
    {
      section: "3.1.3.7, 11",
      level: "must",
      says: "an ID token without the nonce that was sent is refused",
      run: async () => refused(await judgedIdToken({ nonce: undefined }), "wrong_nonce"),
    },
    {
      section: "3.1.3.7, 13",
      level: "should",
      says: "auth_time is within max_age",
      run: async () => {
        accepted(await judgedIdToken({ auth_time: at - 60 }, { maxAgeSeconds: 60 }));
        refused(await judgedIdToken({ auth_time: at - 600 }, { maxAgeSeconds: 60 }), "stale_authentication");
      },
    },
    {
      section: "2",
      level: "must",
      says: "auth_time is there when max_age was sent",
      run: async () => refused(await judgedIdToken({}, { maxAgeSeconds: 60 }), "missing_claim"),
    },
    {
      section: "2",
      level: "must",
      says: "sub is there, and a string",
      run: async () => {
        refused(await judgedIdToken({ sub: undefined } as never), "missing_claim");
        refused(await judgedIdToken({ sub: 17 as never }), "malformed_claim");
      },
    },
    {
      section: "3.1.3.8",
      level: "may",
      says: "at_hash, when it is there, is the access token's",
      run: async () => {
        accepted(await judgedIdToken({ at_hash: await atHash("right") }, { accessToken: "right" }));
        refused(
          await judgedIdToken({ at_hash: await atHash("right") }, { accessToken: "wrong" }),
          "wrong_access_token_hash",
        );
      },
    },
  ],
};

export const backChannelLogout: Specification = {
  name: "OpenID Connect Back-Channel Logout",
  title: "logout tokens",
  requirements: [
    {
      section: "2.6",
      level: "must",
      says: "a right logout token is accepted",
      run: async () => accepted(await judgedLogoutToken()),
    },
    {
      section: "2.6",
      level: "must",
      says: "sub alone is enough, and so is sid",
      run: async () => {
        accepted(await judgedLogoutToken({ sid: undefined }));
        accepted(await judgedLogoutToken({ sub: undefined } as never));
      },
    },
    {
      section: "2.6, 5",
      level: "must",
      says: "neither sub nor sid is refused",
      run: async () =>
        refused(await judgedLogoutToken({ sub: undefined, sid: undefined } as never), "missing_claim"),
    },
    {
      section: "2.6, 6",
      level: "must",
      says: "events without the logout event is refused",
      run: async () => {
        refused(await judgedLogoutToken({ events: {} }), "not_a_logout_token");
        refused(await judgedLogoutToken({ events: undefined }), "missing_claim");
      },
    },
    {
      section: "2.6, 7",
      level: "must",
      says: "a nonce makes it no logout token",
      run: async () => refused(await judgedLogoutToken({ nonce: "n" }), "not_a_logout_token"),
    },
    {
      section: "2.6, 3",
      level: "must",
      says: "another issuer or audience is refused",
      run: async () => {
        refused(await judgedLogoutToken({ iss: "https://other.example" }), "wrong_issuer");
        refused(await judgedLogoutToken({ aud: "other" }), "wrong_audience");
      },
    },
    {
      section: "2.4",
      level: "must",
      says: "jti, iat and exp are there",
      run: async () => {
        for (const claim of ["jti", "iat", "exp"])
          refused(await judgedLogoutToken({ [claim]: undefined }), "missing_claim");
      },
    },
    {
      section: "2.4",
      level: "should",
      says: "a token of another explicit type is refused",
      run: async () => refused(await judgedLogoutToken({}, { typ: "at+jwt" }), "typ_not_allowed"),
    },
  ],
};

// What an API does with the tokens that it gets, and how it says no.

import type { Requirement, Specification } from "./table.ts";

const middleware = "packages/sdk/src/middleware/middleware.test.ts";
const musts = (
  rows: readonly (readonly [section: string, says: string, file: string, name: string])[],
): Requirement[] =>
  rows.map(([section, says, file, name]) => ({ section, level: "must", says, test: [file, name] }));

export const rfc6750: Specification = {
  name: "RFC 6750",
  title: "Bearer tokens",
  requirements: musts([
    [
      "2.3",
      "a token in the query is never looked at",
      middleware,
      "a token in the query is never looked at (RFC 6750 section 2.3)",
    ],
    [
      "3",
      "what a token says cannot break out of the challenge",
      middleware,
      "RFC 6750 section 3: what a token says cannot break out of the challenge",
    ],
    [
      "3.1",
      "a request without credentials is challenged without an error",
      middleware,
      "RFC 6750 section 3.1: no credentials, a challenge without an error",
    ],
    [
      "3.1",
      "a malformed header is invalid_request",
      middleware,
      "RFC 6750 section 3.1: a malformed header is invalid_request",
    ],
    [
      "3.1",
      "an expired token is invalid_token",
      middleware,
      "RFC 6750 section 3.1: an expired token is invalid_token",
    ],
    [
      "3.1",
      "a missing scope is insufficient_scope, and named",
      middleware,
      "RFC 6750 section 3.1: a missing scope is insufficient_scope, and named",
    ],
  ]),
};

export const rfc9470: Specification = {
  name: "RFC 9470",
  title: "Step-up authentication challenge",
  requirements: musts([
    [
      "3",
      "a level that is too low is insufficient_user_authentication, with acr_values",
      middleware,
      "RFC 9470 section 3: a level that is too low is insufficient_user_authentication with acr_values",
    ],
    [
      "3",
      "an authentication too long ago is answered with max_age",
      middleware,
      "RFC 9470 section 3: an authentication too long ago, with max_age",
    ],
  ]),
};

export const rfc9728: Specification = {
  name: "RFC 9728",
  title: "Protected resource metadata",
  requirements: musts([
    [
      "5.1",
      "the metadata's address is in the challenge",
      middleware,
      "RFC 9728 section 5.1: the metadata's address is in the challenge",
    ],
  ]),
};

// Owns: the specifications that Portvakt answers for, as tables of requirements: each row is a check of a few lines
// or the name of the test that proves it.
// Does not own: the code that they are about. Rows call it through the rooms' public entries.

import { rfc7515, rfc7519, rfc8725 } from "./jose.ts";
import { rfc7523, rfc7636, rfc8693 } from "./oauth-client.ts";
import { rfc6749, rfc8414, rfc9126, rfc9207 } from "./oauth-endpoints.ts";
import { backChannelLogout, openidCore } from "./openid.ts";
import { rfc6750, rfc9470, rfc9728 } from "./resource-servers.ts";
import type { Specification } from "./table.ts";

export const specifications: readonly Specification[] = [
  rfc6749,
  rfc6750,
  rfc7515,
  rfc7519,
  rfc7523,
  rfc7636,
  rfc8414,
  rfc8693,
  rfc8725,
  rfc9126,
  rfc9207,
  rfc9470,
  rfc9728,
  openidCore,
  backChannelLogout,
];

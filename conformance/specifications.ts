// Owns: the specifications that Portvakt answers for, as tables of requirements: each row is a check of a few lines
// or the name of the test that proves it.
// Does not own: the code that they are about. Rows call it through the rooms' public entries.

import { rfc7515, rfc7519, rfc8725 } from "./jose.ts";
import { rfc7523, rfc7636, rfc8693 } from "./oauth-client.ts";
import { rfc6749, rfc8414, rfc9126, rfc9207 } from "./oauth-endpoints.ts";
import { backChannelLogout, openidCore } from "./openid.ts";
import { joined, provider } from "./provider.ts";
import { resourceServerRows, rfc6750, rfc9470, rfc9728 } from "./resource-servers.ts";
import { clientRows, frontChannelLogout, rfc10017, rfc9700, rpInitiatedLogout } from "./login-proxy.ts";
import type { Requirement, Specification } from "./table.ts";
import {
  authzen,
  delegationAttacks,
  rfc7009,
  rfc7523bis,
  rfc7591,
  rfc7662,
  rfc8707,
  rfc9068,
  rfc9449,
  serverRows,
} from "./tokenx.ts";

/** A table, with rows that stand elsewhere. */
function withRows(table: Specification, rows: readonly Requirement[]): Specification {
  return { ...table, requirements: [...table.requirements, ...rows] };
}

const tables: readonly Specification[] = [
  rfc6749,
  rfc6750,
  rfc7009,
  withRows(rfc7515, resourceServerRows.rfc7515),
  withRows(rfc7519, resourceServerRows.rfc7519),
  rfc7523,
  rfc7523bis,
  rfc7591,
  rfc7636,
  withRows(rfc7662, resourceServerRows.rfc7662),
  withRows(rfc8414, serverRows.rfc8414),
  withRows(rfc8693, serverRows.rfc8693),
  rfc8707,
  withRows(rfc8725, resourceServerRows.rfc8725),
  withRows(rfc9068, resourceServerRows.rfc9068),
  rfc9126,
  withRows(rfc9207, clientRows.rfc9207),
  withRows(rfc9449, resourceServerRows.rfc9449),
  withRows(rfc9470, clientRows.rfc9470),
  rfc9700,
  rfc9728,
  rfc10017,
  withRows(openidCore, clientRows.openidCore),
  withRows(backChannelLogout, clientRows.backChannelLogout),
  rpInitiatedLogout,
  frontChannelLogout,
  authzen,
  delegationAttacks,
];

export const specifications: readonly Specification[] = joined(tables, provider);

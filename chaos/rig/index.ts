/**
 * Owns: real processes, stores and network ways that can be killed, slowed and brought back; clients that write down what they saw.
 * Does not own: the scenarios, and what must hold in them.
 * Request path: clients -> way -> server (a process of its own) -> way -> store or provider.
 * Spec: the paragraphs "Failure" of the login proxy, the token API and TokenX.
 */
export { browse, navigation, send, type Answer, type Ask } from "./client.ts";
export {
  jsonLine,
  printed,
  runAll,
  tally,
  until,
  type Notes,
  type Outcome,
  type Scenario,
} from "./findings.ts";
export { hold, type Held } from "./held.ts";
export { openLoginStage, type LoginStage, type LoginStageOptions } from "./login-stage.ts";
export { CannotRun, startPostgres, startRedis, type Store } from "./programs.ts";
export { startServer, type Server } from "./servers.ts";
export { startTraffic, type Client, type Traffic } from "./traffic.ts";
export { caller, openTokenxStage, target, type TokenxStage } from "./tokenx-stage.ts";
export { openTokensStage, type TokensStage } from "./tokens-stage.ts";
export { openWay, type Way } from "./way.ts";

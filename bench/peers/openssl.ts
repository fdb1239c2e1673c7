// The limit: what OpenSSL itself needs for RSA on this machine.
import { execFileSync } from "node:child_process";
import { cores, findProgram, onCore } from "../rig/processes.ts";
import { CannotMeasure } from "../rig/problems.ts";

export interface RsaCosts {
  /** CPU seconds. */
  readonly sign: number;
  readonly verify: number;
}

/** One run of `openssl speed` on the server's core. It counts CPU time, not the clock's. *Throws* CannotMeasure without openssl. */
function speed(): RsaCosts {
  const openssl = findProgram("openssl");
  if (openssl === undefined) throw new CannotMeasure("needs openssl (Debian: apt install openssl)");
  const [taskset, ...pinned] = onCore(cores.server);
  const args = [...pinned, openssl, "speed", "-mr", "-seconds", "2", "rsa2048"];
  const output = execFileSync(taskset, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const [, sign, verify] = /^\+F2:\d+:2048:([\d.]+):([\d.]+)/m.exec(output) ?? [];
  // OpenSSL 3.0 writes operations per second there, other versions seconds per operation.
  const seconds = (text: string | undefined): number => (Number(text) > 1 ? 1 / Number(text) : Number(text));
  const costs = { sign: seconds(sign), verify: seconds(verify) };
  if (!(costs.sign > 0 && costs.verify > 0)) throw new Error(`unexpected output of openssl speed: ${output}`);
  return costs;
}

/** The better of what was measured before and after the servers. */
export function bestOf(before: RsaCosts, after: RsaCosts): RsaCosts {
  return { sign: Math.min(before.sign, after.sign), verify: Math.min(before.verify, after.verify) };
}

/** The best of several runs, as of the servers' rounds. */
export function rsaCosts(runs = 3): RsaCosts {
  const all = Array.from({ length: runs }, speed);
  return {
    sign: Math.min(...all.map(({ sign }) => sign)),
    verify: Math.min(...all.map(({ verify }) => verify)),
  };
}

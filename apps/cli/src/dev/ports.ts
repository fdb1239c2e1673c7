import { createServer, type Server } from "node:net";
import { CommandError } from "../failure.ts";
import { plannedPorts, portSpan, type Plan } from "./plan.ts";

const tries = 50;

/**
 * Finds a base for a plan's ports. `base` 0 looks for a free range below the range that systems hand out for outgoing
 * connections, and keeps it for this process by listening at the base itself: of two platforms that start at once, one
 * looks further.
 *
 * *Throws*: CommandError that names the taken port and who wanted it.
 */
export async function planOnFreePorts(make: (base: number) => Plan, base: number): Promise<Plan> {
  if (base !== 0) {
    const plan = make(base);
    const taken = await firstTaken(plan);
    if (taken === undefined) return plan;
    throw new CommandError(`port ${taken.port}, meant for ${taken.name}, is taken by another process`, {
      hints: ["`--port 17000` moves the whole platform, `--port 0` finds free ports"],
    });
  }
  for (let attempt = 0; attempt < tries; attempt++) {
    const plan = make(10_000 + portSpan * Math.floor(Math.random() * 50));
    const kept = await listenAt(plan.base);
    if (kept === undefined) continue;
    if ((await firstTaken(plan)) === undefined) return plan;
    kept.close();
  }
  throw new CommandError("no free range of ports was found", { hints: ["give one with `--port`"] });
}

async function firstTaken(plan: Plan): Promise<{ port: number; name: string } | undefined> {
  const wanted = plannedPorts(plan);
  const free = await Promise.all(wanted.map(({ port }) => isFree(port)));
  return wanted.find((_port, index) => free[index] !== true);
}

async function isFree(port: number): Promise<boolean> {
  const probe = await listenAt(port);
  if (probe === undefined) return false;
  await new Promise((resolve) => probe.close(resolve));
  return true;
}

/** Listens without keeping the process alive, and has nothing to say to anybody; undefined where the port is taken. */
function listenAt(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy()).unref();
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => resolve(server));
  });
}

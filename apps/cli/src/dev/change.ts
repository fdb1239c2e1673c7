import { controlApi } from "../running/control.ts";
import type { Keys } from "./keys.ts";
import type { Plan } from "./plan.ts";
import type { ProcessSpec, Supervised } from "./process.ts";
import { registrationsOf } from "./registrations.ts";
import type { Specs } from "./specs.ts";
import { forgetAtTokenx, registerWithTokenx } from "./tokenx-clients.ts";

/** A plan, and everything that was made of it. */
export interface Prepared {
  readonly plan: Plan;
  readonly keys: Keys;
  readonly specs: Specs;
}

/** What changing a platform needs of it. */
export interface ChangeOptions {
  readonly before: Prepared;
  readonly after: Prepared;
  /** The processes that run, by name. */
  readonly running: Map<string, Supervised>;
  readonly launch: (spec: ProcessSpec) => Supervised;
  readonly control: string;
  readonly now: () => number;
  readonly graceSeconds: number;
}

/**
 * Brings a running platform from one plan to another: tells the stand-ins and TokenX who the clients are and who may call
 * whom, which is in force at once, then ends, starts and restarts the processes whose settings differ. Gives the titles of
 * those that were started.
 *
 * *Throws*: CommandError when the stand-ins or TokenX refuse.
 */
export async function changePlatform(options: ChangeOptions): Promise<readonly string[]> {
  const { before, after, running, launch, control, now, graceSeconds } = options;
  const { plan, keys } = after;
  await controlApi({ control }).register(registrationsOf(plan, keys.public));
  await registerWithTokenx({ plan, keys, now });
  const ids = new Set(plan.applications.map(({ application }) => application.id));
  const gone = before.plan.applications.map(({ application }) => application.id).filter((id) => !ids.has(id));
  await forgetAtTokenx(gone, { plan, keys, now });

  const [old, young] = [processesOf(before.specs), processesOf(after.specs)];
  const ended = [...old].filter(([name, spec]) => wayOf(young.get(name)) !== wayOf(spec));
  await Promise.all(ended.map(async ([name]) => await running.get(name)?.stop(graceSeconds)));
  for (const [name] of ended) running.delete(name);
  const started = [...young].filter(([name, spec]) => wayOf(old.get(name)) !== wayOf(spec));
  for (const [, spec] of started) launch(spec);
  return started.map(([, spec]) => spec.title);
}

/** Sidecars and applications; the servers stay, whatever manifests say. */
function processesOf({ sidecars, applications }: Specs): Map<string, ProcessSpec> {
  return new Map([...sidecars, ...applications].map((spec) => [spec.name, spec]));
}

/** Everything that makes one process differ from another. */
function wayOf(spec: ProcessSpec | undefined): string {
  return JSON.stringify(spec ?? null);
}

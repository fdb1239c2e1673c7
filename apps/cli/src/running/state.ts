import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseApplicationId, type Application } from "@portvakt/policy";
import { writePrivate } from "../dev/keys.ts";

/** What a running platform tells others on this machine: addresses, no secrets. */
export interface DevState {
  readonly pid: number;
  /** When that process was started: the system gives the number to another one day. */
  readonly born?: string;
  /** The process of each part when the platform came up; one that died since has another number. */
  readonly processes: Readonly<Record<string, number>>;
  readonly cluster: string;
  /** The manifests that it was started with, absolute paths. */
  readonly manifests: readonly string[];
  readonly providers: Readonly<
    Record<"idporten" | "entra" | "maskinporten" | "tokenx", { issuer: string; jwksUri: string }>
  >;
  /** The stand-ins' control API. */
  readonly control: string;
  readonly console: string;
  readonly applications: Readonly<Record<string, DevApplication>>;
}

export interface DevApplication {
  readonly id: string;
  /** Where people and other applications reach it. */
  readonly url: string;
  /** The application itself, without its login proxy. */
  readonly direct: string;
  /** Its token API. */
  readonly tokens?: string;
  readonly login?: string;
  readonly clients: Readonly<Record<string, string>>;
  /** Its scopes of Maskinporten's that other organisations may use. */
  readonly offers?: readonly string[];
}

const fileName = "dev.json";
/** The file of the applications in force, in the folder of the state. */
export const applicationsName = "applications.json";

/** Says in `folder` that a platform runs. */
export async function writeState(folder: string, state: DevState): Promise<void> {
  await writePrivate(join(folder, fileName), `${JSON.stringify(state, null, 2)}\n`);
}

/** Says in `folder` which manifests are in force, as applications: what is written since may be wrong, or not in force yet. */
export async function writeApplications(folder: string, applications: readonly Application[]): Promise<void> {
  await writePrivate(join(folder, applicationsName), `${JSON.stringify(applications)}\n`);
}

/** The applications of the platform that runs in `folder`; what has no application's id is none, whoever wrote the file. */
export async function readApplications(folder: string): Promise<Application[]> {
  const applications: Application[] = JSON.parse(await readFile(join(folder, applicationsName), "utf8"));
  return applications.filter(({ id }) => typeof id === "string" && parseApplicationId(id) !== undefined);
}

/** The platform that runs in `folder`, or undefined when none does: a state whose process is gone counts as none. */
export async function readState(folder: string): Promise<DevState | undefined> {
  try {
    const state: DevState = JSON.parse(await readFile(join(folder, fileName), "utf8"));
    return runs(state) ? state : undefined;
  } catch {
    return undefined;
  }
}

/** Takes the state back. */
export async function removeState(folder: string): Promise<void> {
  await rm(join(folder, fileName), { force: true });
  await rm(join(folder, applicationsName), { force: true });
}

function runs({ pid, born }: DevState): boolean {
  return Number.isInteger(pid) && pid > 0 && isAlive(pid) && birthOf(pid) === born;
}

/** What tells a process from another that had, or gets, its number; undefined where the system does not say. */
export function birthOf(pid: number): string | undefined {
  try {
    // proc_pid_stat(5): the 22nd field, in ticks since the system was started; the 2nd, in parentheses, may hold anything
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ");
    return `${fields?.[19]} ${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}`;
  } catch {
    const env = { LC_ALL: "C", TZ: "UTC" };
    const { stdout } = spawnSync("/bin/ps", ["-o", "lstart=", "-p", `${pid}`], { encoding: "utf8", env });
    return stdout?.trim() === "" ? undefined : stdout?.trim();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

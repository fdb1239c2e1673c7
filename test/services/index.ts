// Owns: the real servers and programs that tests use, and the environment names by which tests find them.
// Does not own: what the tests do with them.
// Request path: run.ts -> startServices -> programs (find or install) -> guarded (start, and never outlive the run)

import { chromium } from "./chromium.ts";
import type { Guarded } from "./guarded.ts";
import { postgres, startPostgres } from "./postgres.ts";
import { obtainPrograms } from "./programs.ts";
import type { Program } from "./programs.ts";
import { caddy, nginx } from "./proxies.ts";
import { redis, startRedis } from "./redis.ts";
import { fish, zsh } from "./shells.ts";

interface Service {
  readonly program: Program;
  /** What tests read; when it is set already, that server is used. */
  readonly variable: string;
  start(program: string): Promise<{ variables: Record<string, string>; server?: Guarded }>;
}

/** Every service that a test may ask for by reading its variable. */
export const services: readonly Service[] = [
  {
    program: postgres,
    variable: "PORTVAKT_TEST_POSTGRES_URL",
    async start(initdb) {
      const { url, server } = await startPostgres(initdb);
      return { variables: { PORTVAKT_TEST_POSTGRES_URL: url }, server };
    },
  },
  {
    program: redis,
    variable: "PORTVAKT_TEST_REDIS_URL",
    async start(program) {
      const { url, server } = await startRedis(program);
      return { variables: { PORTVAKT_TEST_REDIS_URL: url, PORTVAKT_TEST_REDIS_SERVER: program }, server };
    },
  },
  {
    program: chromium,
    variable: "PORTVAKT_TEST_CHROMIUM",
    start: async (program) => ({ variables: { PORTVAKT_TEST_CHROMIUM: program } }),
  },
  {
    program: nginx,
    variable: "PORTVAKT_TEST_NGINX",
    start: async (program) => ({ variables: { PORTVAKT_TEST_NGINX: program } }),
  },
  {
    program: caddy,
    variable: "PORTVAKT_TEST_CADDY",
    start: async (program) => ({ variables: { PORTVAKT_TEST_CADDY: program } }),
  },
  {
    program: zsh,
    variable: "PORTVAKT_TEST_ZSH",
    start: async (program) => ({ variables: { PORTVAKT_TEST_ZSH: program } }),
  },
  {
    program: fish,
    variable: "PORTVAKT_TEST_FISH",
    start: async (program) => ({ variables: { PORTVAKT_TEST_FISH: program } }),
  },
];

/** What runs, and how to end it. */
export interface RunningServices {
  readonly variables: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts the services among `wanted` that `env` does not name already. */
export async function startServices(
  wanted: readonly Service[],
  env: Readonly<Record<string, string | undefined>>,
  say: (line: string) => void,
): Promise<RunningServices> {
  const ours = wanted.filter((service) => env[service.variable] === undefined);
  const paths = await obtainPrograms(
    ours.map((service) => service.program),
    say,
  );
  const servers: Guarded[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map(async (server) => server.stop()));
  };
  const variables: Record<string, string> = {};
  const starts = ours.map(async (service) => {
    const started = await service.start(paths.get(service.program) ?? "");
    Object.assign(variables, started.variables);
    if (started.server) servers.push(started.server);
  });
  const failed = (await Promise.allSettled(starts)).find((result) => result.status === "rejected");
  if (!failed) return { variables, stop };
  await stop();
  throw failed.reason;
}

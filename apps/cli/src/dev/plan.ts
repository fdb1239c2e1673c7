import { createHash } from "node:crypto";
import type { Application } from "@portvakt/policy";

/** The ports that the platform itself takes. */
export interface ServerPorts {
  readonly idporten: number;
  readonly entra: number;
  readonly maskinporten: number;
  readonly tokenx: number;
  /** The stand-ins' control API. */
  readonly control: number;
  readonly console: number;
}

export type LoginProvider = "idporten" | "azure";

/** What one application gets here. */
export interface PlannedApplication {
  readonly application: Application;
  /** Its name in logs and files: the application's, with the namespace where two share it. */
  readonly name: string;
  /** Where others reach it: the login proxy's address where it has one. */
  readonly url: string;
  /** Where the application itself listens (`PORT`). */
  readonly port: number;
  readonly login?: { readonly provider: LoginProvider; readonly port: number };
  /** Where its token API listens; absent for an application that uses no provider. */
  readonly tokensPort?: number;
  /** Where its sidecar, if it has one, says how it is. */
  readonly statusPort: number;
  /** Its client id at each provider that it uses. */
  readonly clients: Clients;
}

export interface Clients {
  readonly idporten?: string;
  readonly entra?: string;
  readonly maskinporten?: string;
  readonly tokenx?: string;
}

/** Everything that `portvakt dev` will start, decided before anything starts. */
export interface Plan {
  readonly cluster: string;
  /** The port that all others are counted from. */
  readonly base: number;
  readonly ports: ServerPorts;
  readonly applications: readonly PlannedApplication[];
}

/** How many ports a plan may reach from its base. */
export const portSpan = 400;
/** The organisation whose applications these are; nine digits of the series that no real organisation has. */
export const organisationNumber = "310100005";

/**
 * Decides addresses and client ids: servers at base+1..6, login proxies at base+10, +20, ..., other applications from
 * base+30 up, what nobody visits (applications behind a proxy, token APIs, what says how they are) from base+100 up. An
 * application of the plan `before` keeps its addresses, so that it goes on running when another comes or goes.
 */
export function makePlan(applications: readonly Application[], basePort: number, before?: Plan): Plan {
  // citizens' applications first: whoever tries the platform starts with those
  const withLogin = ["idporten", "azure"].flatMap((provider) =>
    applications.filter((application) => loginProvider(application) === provider),
  );
  const firstOther = basePort + Math.max(30, (withLogin.length + 1) * 10);
  const old = new Map(before?.applications.map((planned) => [planned.application.id, planned]));
  const taken = new Set(
    applications.flatMap(({ id }) => portsOf(old.get(id))).filter((port) => port !== undefined),
  );
  const free = (from: number, step = 1): number => {
    let port = from;
    while (taken.has(port)) port += step;
    taken.add(port);
    return port;
  };
  const loginPorts = new Map(
    withLogin.map(({ id }) => [id, old.get(id)?.login?.port ?? free(basePort + 10, 10)]),
  );
  const planned = applications.map((application): PlannedApplication => {
    const provider = loginProvider(application);
    const clients = clientsOf(application);
    const was = old.get(application.id);
    const tokensPort =
      Object.keys(clients).length > 0 ? { tokensPort: was?.tokensPort ?? free(basePort + 200) } : {};
    const statusPort = was?.statusPort ?? free(basePort + 300);
    const name = uniqueName(application, applications);
    const common = { application, name, ...tokensPort, statusPort, clients };
    const loginPort = loginPorts.get(application.id);
    if (provider === undefined || loginPort === undefined) {
      const port = was?.port ?? free(firstOther);
      return { ...common, url: `http://localhost:${port}`, port };
    }
    const url = `http://localhost:${loginPort}`;
    const port = was?.port ?? free(basePort + 100);
    return { ...common, url, port, login: { provider, port: loginPort } };
  });
  return {
    cluster: applications[0]?.cluster ?? "local",
    base: basePort,
    ports: {
      idporten: basePort + 1,
      entra: basePort + 2,
      maskinporten: basePort + 3,
      tokenx: basePort + 4,
      control: basePort + 5,
      console: basePort + 6,
    },
    applications: planned,
  };
}

function portsOf(planned: PlannedApplication | undefined): readonly (number | undefined)[] {
  return [planned?.port, planned?.login?.port, planned?.tokensPort, planned?.statusPort];
}

/** Every port of a plan, each with the name of what will listen there. */
export function plannedPorts(plan: Plan): { readonly port: number; readonly name: string }[] {
  const { ports } = plan;
  return [
    { port: ports.idporten, name: "the ID-porten stand-in" },
    { port: ports.entra, name: "the Entra ID stand-in" },
    { port: ports.maskinporten, name: "the Maskinporten stand-in" },
    { port: ports.control, name: "the stand-ins' control API" },
    { port: ports.tokenx, name: "TokenX" },
    { port: ports.console, name: "the console" },
    ...plan.applications.flatMap((planned) => [
      { port: planned.port, name: planned.name },
      ...(planned.login ? [{ port: planned.login.port, name: `the login proxy of ${planned.name}` }] : []),
      ...(planned.tokensPort
        ? [
            { port: planned.tokensPort, name: `the token API of ${planned.name}` },
            { port: planned.statusPort, name: `the status of the sidecar of ${planned.name}` },
          ]
        : []),
    ]),
  ];
}

/** The provider that the application's login proxy signs people in with, or undefined where it has no proxy. */
function loginProvider(application: Application): LoginProvider | undefined {
  if (application.idporten?.sidecar?.enabled === true) return "idporten";
  if (application.azure?.sidecar?.enabled === true) return "azure";
  return undefined;
}

function clientsOf(application: Application): Clients {
  const { azure, idporten, maskinporten, tokenx, id } = application;
  return {
    ...(idporten?.enabled === true ? { idporten: clientId("idporten", id) } : {}),
    ...(azure?.enabled === true ? { entra: clientId("entra", id) } : {}),
    ...(maskinporten?.enabled === true ? { maskinporten: clientId("maskinporten", id) } : {}),
    ...(tokenx?.enabled === true ? { tokenx: id } : {}),
  };
}

/** The same application has the same client id every time, without anything written down. A UUID in form only. */
function clientId(provider: string, id: string): string {
  const hex = createHash("sha256").update(`${provider} ${id}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function uniqueName(application: Application, all: readonly Application[]): string {
  const sharers = all.filter((other) => other.name === application.name);
  return sharers.length > 1 ? `${application.name}.${application.namespace}` : application.name;
}

import { openRegistrar, type ClientToRegister, type Registrar } from "../tokenx/registrar.ts";
import { endpointsOf } from "./endpoints.ts";
import { keyName, registrarKey, type Keys } from "./keys.ts";
import type { Plan, PlannedApplication } from "./plan.ts";

interface ClientsOptions {
  readonly plan: Plan;
  readonly keys: Keys;
  /** Seconds since the epoch. */
  readonly now: () => number;
}

/**
 * Registers every application that uses TokenX.
 *
 * *Throws*: CommandError with TokenX's own words when it refuses.
 */
export async function registerWithTokenx(options: ClientsOptions): Promise<void> {
  const { plan, keys } = options;
  const registrar = await registrarOf(options);
  const wanted = plan.applications.filter(({ clients }) => clients.tokenx !== undefined);
  await Promise.all(wanted.map((planned) => registrar.register(clientOf(plan, planned, keys))));
}

/** Takes applications out of TokenX's registry. */
export async function forgetAtTokenx(ids: readonly string[], options: ClientsOptions): Promise<void> {
  if (ids.length === 0) return;
  const registrar = await registrarOf(options);
  await Promise.all(ids.map((id) => registrar.remove(id)));
}

async function registrarOf({ plan, keys, now }: ClientsOptions): Promise<Registrar> {
  const { issuer } = endpointsOf(plan).tokenx;
  return await openRegistrar({ issuer, id: registrarKey, key: keys.private(registrarKey), now });
}

/** What TokenX is told of an application here. */
export function clientOf(
  plan: Plan,
  planned: PlannedApplication,
  keys: Pick<Keys, "public">,
): ClientToRegister {
  const { application, clients } = planned;
  return {
    application,
    keys: [keys.public(keyName(planned, "tokenx"))],
    ...(clients.idporten === undefined
      ? {}
      : { subjectClients: { [endpointsOf(plan).idporten.issuer]: [clients.idporten] } }),
  };
}

import { openRegistrar, type ClientToRegister } from "../tokenx/registrar.ts";
import { endpointsOf } from "./endpoints.ts";
import { keyName, registrarKey, type Keys } from "./keys.ts";
import type { Plan, PlannedApplication } from "./plan.ts";

/**
 * Registers every application that uses TokenX. `now` is in seconds.
 *
 * *Throws*: CommandError with TokenX's own words when it refuses.
 */
export async function registerWithTokenx(options: {
  plan: Plan;
  keys: Keys;
  now: () => number;
}): Promise<void> {
  const { plan, keys, now } = options;
  const at = endpointsOf(plan);
  const key = keys.private(registrarKey);
  const registrar = await openRegistrar({ issuer: at.tokenx.issuer, id: registrarKey, key, now });
  const wanted = plan.applications.filter(({ clients }) => clients.tokenx !== undefined);
  await Promise.all(wanted.map((planned) => registrar.register(clientOf(plan, planned, keys))));
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

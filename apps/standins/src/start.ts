import { readFile } from "node:fs/promises";
import type { SettingsOf } from "@portvakt/runtime/config";
import type { Running, Tools } from "@portvakt/runtime/process";
import { parsePersonas } from "./personas/personas.ts";
import type { RegistrationsInput } from "./registrations.ts";
import type { settings } from "./settings.ts";
import { openStandins } from "./standins.ts";

/** Starts the stand-ins as their settings say. */
export async function start(given: SettingsOf<typeof settings>, tools: Tools): Promise<Running> {
  const registrations = given.registrations === undefined ? {} : await readRegistrations(given.registrations);
  const personas =
    given.personas === undefined ? undefined : parsePersonas(await readFile(given.personas, "utf8"));
  const standins = await openStandins({
    now: tools.now,
    log: tools.log,
    metrics: tools.metrics,
    registrations,
    ...(personas === undefined ? {} : { personas }),
    addresses: {
      idporten: given.idportenAddress,
      entra: given.entraAddress,
      maskinporten: given.maskinportenAddress,
      openid: given.openidAddress,
      control: given.controlAddress,
    },
    ...(given.keysFolder === undefined ? {} : { keysFolder: given.keysFolder }),
    backHosts: given.backHosts,
    publicUrls: {
      idporten: given.idportenPublicUrl,
      entra: given.entraPublicUrl,
      maskinporten: given.maskinportenPublicUrl,
      openid: given.openidPublicUrl,
    },
  });
  return {
    addresses: standins.urls,
    ready: () => ({ ready: true, checks: { listeners: { ok: true } } }),
    close: () => standins.close(),
  };
}

async function readRegistrations(path: string): Promise<RegistrationsInput> {
  const text = await readFile(path, "utf8");
  // The schema judges the content when it is put in force.
  return JSON.parse(text) as RegistrationsInput;
}

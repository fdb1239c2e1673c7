import type { Personas, RegistrationsInput, TokenOrder } from "@portvakt/standins";
import { CommandError } from "../failure.ts";
import type { DevState } from "./state.ts";

/** What the stand-ins' control API does for the verbs here. Each call *throws* CommandError when it does not answer. */
export interface ControlApi {
  personas(): Promise<Personas>;
  /** A token without any flow: only stand-ins give such a thing. */
  token(order: TokenOrder): Promise<string>;
  /** Puts these registrations in the place of the ones before, at once. */
  register(registrations: RegistrationsInput): Promise<void>;
}

const timeoutMs = 10_000;

/** The control API of a running platform. */
export function controlApi(running: Pick<DevState, "control">): ControlApi {
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${running.control}${path}`, {
      method,
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined
        ? {}
        : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw new CommandError(`the stand-ins' control API at ${running.control} does not answer`, {
        hints: ["is `portvakt dev` still running? it starts again what died"],
        cause: error,
      });
    });
    const answer = (await response.json()) as T & { readonly error?: string };
    if (response.ok) return answer;
    throw new CommandError(`the stand-ins refused: ${answer.error ?? response.status}`);
  };
  return {
    personas: () => call("GET", "/personas"),
    token: async (order) => (await call<{ token: string }>("POST", "/tokens", order)).token,
    register: async (registrations) => void (await call("PUT", "/registrations", registrations)),
  };
}

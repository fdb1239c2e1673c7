import { meaningOf } from "@portvakt/explain";
import type { DevApplication } from "../running/state.ts";
import { CommandError } from "../failure.ts";

/** A token that was refused: why, and what to do. */
export interface Refused {
  readonly refusal: string;
  readonly hints: readonly string[];
}

interface Token {
  readonly access_token: string;
  readonly expires_in: number | undefined;
}

/** What an application asks its token API. */
export interface TokenApi {
  machine(provider: string, target: string): Promise<Token | Refused>;
  exchange(provider: string, target: string, userToken: string): Promise<Token | Refused>;
}

const timeoutMs = 15_000;

/** The token API beside an application. *Throws*: CommandError when it does not answer. */
export function tokenApi({ id, tokens }: DevApplication): TokenApi {
  const call = async (path: string, body: Record<string, unknown>): Promise<Token | Refused> => {
    const response = await fetch(`${tokens}/api/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...body, skip_cache: true }),
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((error: unknown) => {
      throw new CommandError(`the token API of ${id} does not answer`, { cause: error });
    });
    const answer = (await response.json()) as Record<string, unknown>;
    const { access_token: token, expires_in: lives } = answer;
    if (response.ok && typeof token === "string") {
      return { access_token: token, expires_in: typeof lives === "number" ? lives : undefined };
    }
    return refusalIn(answer);
  };
  return {
    machine: (provider, target) => call("token", { identity_provider: provider, target }),
    exchange: (provider, target, userToken) =>
      call("token/exchange", { identity_provider: provider, target, user_token: userToken }),
  };
}

function refusalIn(answer: Record<string, unknown>): Refused {
  const member = (name: string): string | undefined => {
    const value = answer[name];
    return typeof value === "string" ? value : undefined;
  };
  const code = member("hint_code") ?? member("error") ?? "";
  const id = member("decision_id");
  // a decision says it better than any table
  const advice = id === undefined ? (member("hint") ?? meaningOf(code)?.fix) : undefined;
  const said = [member("error"), member("error_description")].filter((part) => part !== undefined).join(": ");
  return {
    refusal: `refused: ${said}`,
    hints: [
      ...(advice === undefined ? [] : [advice]),
      ...(id === undefined ? [] : [`\`portvakt explain ${id}\` names the manifest line`]),
    ],
  };
}

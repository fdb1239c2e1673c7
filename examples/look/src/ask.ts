/** What another API answered, or why there is no answer. */
export type Answer =
  | { readonly ok: true; readonly body: Record<string, unknown> }
  | { readonly ok: false; readonly status: number; readonly reason: string };

const timeoutMs = 5_000;

/** Asks an API with a bearer token (or none). Bounded in time; a refusal comes back with the reason that the API gave. */
export async function askJson(url: string, token: string | undefined): Promise<Answer> {
  try {
    const headers = {
      accept: "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const response = await fetch(url, { headers, redirect: "error", signal: AbortSignal.timeout(timeoutMs) });
    const body = (await response.json()) as Record<string, unknown>;
    if (response.ok) return { ok: true, body };
    return { ok: false, status: response.status, reason: reasonIn(body) ?? `it answered ${response.status}` };
  } catch (error) {
    const late = error instanceof Error && error.name === "TimeoutError";
    return { ok: false, status: 503, reason: late ? "it did not answer in time" : "it cannot be reached" };
  }
}

/** How to answer when somebody else did not: 503 when a server is away and may be back soon, 500 when it refused. */
export function troubleStatus(status: number | undefined): 500 | 503 {
  return status === undefined || status >= 502 ? 503 : 500;
}

function reasonIn(body: Record<string, unknown>): string | undefined {
  const { reason, detail, error_description: description } = body;
  return [reason, detail, description].find((text) => typeof text === "string");
}

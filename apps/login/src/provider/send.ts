import { Fault } from "@portvakt/oauth";

/** How long a provider may take to answer, seconds. Shorter than the life of the refresh lock. */
const answerSeconds = 10;

/** Sends a request to a provider. Throws: Fault `unreachable`; its message has no parameter of the request. */
export async function sendWithin(request: Request, fetcher: typeof fetch): Promise<Response> {
  const { origin, pathname } = new URL(request.url);
  return fetcher(request, { signal: AbortSignal.timeout(answerSeconds * 1000) }).catch((cause: unknown) => {
    throw new Fault("unreachable", `${origin}${pathname} did not answer`, { cause });
  });
}

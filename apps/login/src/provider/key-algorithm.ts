/** Keys as a provider publishes them. */
export interface Jwks {
  readonly keys: readonly Record<string, unknown>[];
}

/** Gives keys that do not say what they are for this algorithm (RFC 7517 section 4.4 leaves it out), and that one only. */
export function withAlgorithm({ keys, ...others }: Jwks, algorithm: string | undefined): Jwks {
  if (algorithm === undefined) return { ...others, keys };
  return { ...others, keys: keys.map((key) => ({ alg: algorithm, ...key })) };
}

/** The same, for keys that are fetched. */
export function fetchWithAlgorithm(fetcher: typeof fetch, algorithm: string | undefined): typeof fetch {
  if (algorithm === undefined) return fetcher;
  return async (...request) => {
    const response = await fetcher(...request);
    if (!response.ok) return response;
    const read: unknown = await response
      .clone()
      .json()
      .catch(() => undefined);
    // What is no key set is for its reader to refuse.
    return isJwks(read) ? Response.json(withAlgorithm(read, algorithm)) : response;
  };
}

function isJwks(read: unknown): read is Jwks {
  if (typeof read !== "object" || read === null || !("keys" in read) || !Array.isArray(read.keys))
    return false;
  return read.keys.every((key) => typeof key === "object" && key !== null);
}

/** Puts an entry last in a map and drops the first when there are more than `max`: what a process remembers stays bounded. */
export function remember<T>(entries: Map<string, T>, key: string, value: T, max: number): void {
  entries.delete(key);
  entries.set(key, value);
  if (entries.size <= max) return;
  const [oldest] = entries.keys();
  if (oldest !== undefined) entries.delete(oldest);
}

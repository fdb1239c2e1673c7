/** A bounded map: the least recently used entry goes first. */
export interface Lru<V> {
  /** Finds an entry and makes it the most recently used. */
  get(key: string): V | undefined;
  /** Finds an entry and leaves its place as it is. */
  peek(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
  readonly size: number;
}

interface Link<V> {
  readonly key: string;
  value: V;
  newer: Link<V> | undefined;
  older: Link<V> | undefined;
}

/**
 * Makes one for `maxEntries` entries. A linked list keeps the order: the usual trick of deleting and setting a Map's entry
 * again leaves holes that the search for the oldest entry then has to walk over, thousands of them when it is full.
 */
export function createLru<V>(maxEntries: number): Lru<V> {
  const links = new Map<string, Link<V>>();
  let newest: Link<V> | undefined;
  let oldest: Link<V> | undefined;

  const unlink = (link: Link<V>): void => {
    if (link.newer === undefined) newest = link.older;
    else link.newer.older = link.older;
    if (link.older === undefined) oldest = link.newer;
    else link.older.newer = link.newer;
  };
  const push = (link: Link<V>): void => {
    link.newer = undefined;
    link.older = newest;
    if (newest === undefined) oldest = link;
    else newest.newer = link;
    newest = link;
  };
  const touch = (link: Link<V>): void => {
    if (link === newest) return;
    unlink(link);
    push(link);
  };
  const remove = (link: Link<V>): void => {
    links.delete(link.key);
    unlink(link);
  };
  return {
    get size() {
      return links.size;
    },
    get(key) {
      const link = links.get(key);
      if (link === undefined) return undefined;
      touch(link);
      return link.value;
    },
    peek: (key) => links.get(key)?.value,
    set(key, value) {
      const known = links.get(key);
      if (known !== undefined) {
        known.value = value;
        touch(known);
        return;
      }
      const link: Link<V> = { key, value, newer: undefined, older: undefined };
      links.set(key, link);
      push(link);
      if (links.size > maxEntries && oldest !== undefined) remove(oldest);
    },
    delete(key) {
      const link = links.get(key);
      if (link !== undefined) remove(link);
    },
  };
}

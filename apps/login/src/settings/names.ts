// How settings are named, and how their checks speak.

/** Our name for a setting, then the baseline's (the same unless given, "" for none). */
export function named(name: string, baseline: string = name): readonly string[] {
  return [`PORTVAKT_LOGIN_${name}`, ...(baseline === "" ? [] : [`WONDERWALL_${baseline}`])];
}

/** A check that reads the value and repeats, as a sentence, what was wrong with it. */
export function sentence<T>(read: (value: T) => unknown): (value: T) => string | undefined {
  return (value) => {
    try {
      read(value);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : "cannot be read";
    }
  };
}

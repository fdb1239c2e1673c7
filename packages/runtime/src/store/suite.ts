// What every store promises, as tests. A store's own test file calls these and adds only what is its own.
export { keyValueSuite } from "./suite/key-value.ts";
export type { KeyValueSubject } from "./suite/key-value.ts";
export { sqlSuite } from "./suite/sql.ts";

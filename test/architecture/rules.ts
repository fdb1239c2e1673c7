// The rooms, who may import whom, and which words only some files may use. This is the table that a reader wants;
// judge.ts applies it, architecture.test.ts proves both.

/** What a room may import beside itself. */
export interface RoomRule {
  readonly imports: readonly string[];
  /** Rooms of which it may take types only. */
  readonly typesOnly?: readonly string[];
  /** May it use Node's own modules? */
  readonly node: boolean;
  /** If set, the only packages from outside that its sources may import. */
  readonly packages?: readonly string[];
}

const allPackages = [
  "packages/oauth",
  "packages/issuer",
  "packages/providers",
  "packages/policy",
  "packages/runtime",
  "packages/explain",
];
const allApps = ["apps/login", "apps/tokens", "apps/tokenx", "apps/standins", "apps/console"];

/** A room is a workspace; `examples/*` share one row. No row, no room. */
export const rooms: Readonly<Record<string, RoomRule>> = {
  "packages/oauth": { imports: [], node: false, packages: ["jose"] },
  "packages/issuer": { imports: ["packages/oauth"], node: false, packages: [] },
  "packages/providers": { imports: ["packages/oauth"], node: false, packages: [] },
  "packages/policy": {
    imports: [],
    typesOnly: ["packages/oauth"],
    node: false,
    packages: ["yaml", "zod"],
  },
  "packages/explain": {
    imports: ["packages/oauth", "packages/policy", "packages/providers"],
    typesOnly: ["packages/sdk"],
    node: false,
    packages: [],
  },
  "packages/runtime": { imports: [], node: true },
  "packages/sdk": { imports: ["packages/oauth"], node: true, packages: ["jose"] },
  // The stand-ins as a package: compiled into it when it is packed.
  "packages/testkit": { imports: ["apps/standins"], node: false, packages: [] },
  "apps/login": { imports: allPackages, node: true },
  "apps/tokens": { imports: allPackages, node: true },
  "apps/tokenx": { imports: allPackages, node: true },
  "apps/standins": { imports: allPackages, node: true },
  "apps/console": { imports: allPackages, node: true },
  "apps/cli": { imports: [...allPackages, ...allApps], node: true },
  "examples/*": { imports: ["packages/sdk", "examples/look"], node: true },
  conformance: { imports: [...allPackages, "packages/sdk", ...allApps], node: true },
  chaos: { imports: [...allPackages, ...allApps], node: true },
  bench: { imports: [...allPackages, "packages/sdk", ...allApps, "apps/cli", "chaos"], node: true },
  build: { imports: [], node: true },
  docs: { imports: [...allPackages, "packages/sdk", ...allApps, "apps/cli"], node: true },
  test: { imports: [...allPackages, "packages/sdk", "packages/testkit", ...allApps, "apps/cli"], node: true },
};

/** Tests may use any package and the stand-ins, whatever room they are in. */
export const testsMayImport = [...allPackages, "packages/sdk", "apps/standins", "conformance"];

/** A use that only some files may make. */
export interface WordRule {
  readonly says: string;
  readonly pattern: RegExp;
  /** Which files may. Tests and the folders of `outsideTheProduct` may everything that is not marked `everywhere`. */
  readonly allowed: readonly RegExp[];
  readonly everywhere?: true;
}

/** Folders that are no part of what ships: their programs read the environment and the clock themselves. */
export const outsideTheProduct = /^(?:test|conformance|bench|chaos|docs|build)\//u;

/** These rules and their fixtures. */
const itself = /^test\/architecture/u;
/** Files in which chance only spreads load or picks a port. */
const harmlessChance = [
  /^apps\/login\/src\/provider\/connection\.ts$/u,
  /^apps\/tokens\/src\/start\.ts$/u,
  /^apps\/tokenx\/src\/repeatedly\.ts$/u,
  /^apps\/cli\/src\/dev\/ports\.ts$/u,
];
/** Writes into an application's own file, where the words are text. */
const written = /^apps\/cli\/src\/init\/changes\.ts$/u;
/** What others install runs in their processes: one file of each knows them. */
const installed = [/^packages\/sdk\/src\/process-sdk\.ts$/u, /^packages\/testkit\/src\/index\.ts$/u];
const main = /(?:^|\/)src\/main\.ts$/u;

export const words: readonly WordRule[] = [
  {
    says: "only main.ts reads the environment",
    pattern: /\bprocess\s*\.\s*env\b/u,
    allowed: [main, ...installed, /^apps\/cli\/bin\//u, written],
  },
  {
    says: "only main.ts reads the clock",
    pattern: /\bDate\s*\.\s*now\b|\bnew Date\(\s*\)|\bTemporal\.Now\b/u,
    allowed: [main, ...installed, /^apps\/cli\/bin\//u],
  },
  {
    says: "random values come from crypto; where chance only spreads load, the file is listed here",
    pattern: /\bMath\s*\.\s*random\b/u,
    allowed: [...harmlessChance, itself],
    everywhere: true,
  },
  {
    says: "TLS certificates are always checked",
    pattern: /rejectUnauthorized\s*:\s*false|NODE_TLS_REJECT_UNAUTHORIZED/u,
    allowed: [itself],
    everywhere: true,
  },
  {
    says: "no code from text",
    pattern: /\beval\(|\bnew Function\(|["']node:vm["']/u,
    // The packed SDK is run where there are no names but the web's.
    // Where memory is measured: the collector can only be called in a new context.
    allowed: [itself, /^build\/installed\.ts$/u, /\/(?:headers|redact)\.test\.ts$/u],
    everywhere: true,
  },
  {
    says: "JOSE's verification is called in one place, packages/oauth/src/jwt",
    pattern: /\b(?:jwtVerify|compactVerify|flattenedVerify|generalVerify)\b/u,
    allowed: [/^packages\/oauth\/src\/jwt\//u],
  },
  {
    says: "a secret is compared in constant time (equalConstantTime)",
    pattern:
      /\b\w*(?:[sS]ecret|[vV]erifier|[sS]ignature|[hH]mac|[cC]hallenge)\s*[!=]==(?!\s*(?:undefined|null|true|false|["'`]))/u,
    allowed: [],
  },
  {
    says: "metrics are rows of a table, from which docs/observability.md is printed",
    pattern: /\.(?:counter|gauge|histogram)\(\s*\{/u,
    allowed: [],
  },
  {
    says: "what a process prints goes through the logger",
    pattern: /\bconsole\s*\.\s*(?:log|info|warn|error|debug)\b/u,
    // The SDK runs in other people's processes: where the application's own log throws, there is nothing else.
    allowed: [/^apps\/cli\//u, /^examples\//u, /^packages\/sdk\/src\/middleware\/judge\.ts$/u],
  },
];

/** Names that say nothing about what is in a folder. */
export const emptyNames = new Set(["utils", "util", "helpers", "helper", "common", "shared", "misc", "lib"]);

export const filesPerFolder = 15;
export const foldersUnderSrc = 2;

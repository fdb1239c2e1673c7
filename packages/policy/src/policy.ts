import { parseApplicationId } from "./application.ts";
import type { ApplicationId, InboundRule, SourceLine } from "./application.ts";
import { nearMiss } from "./near-miss.ts";

/** What a policy needs to know of an application. An `Application` of `parseManifests` is one. */
export interface PolicyApplication {
  readonly id: string;
  readonly inbound: readonly InboundRule[];
  readonly team?: string | undefined;
  readonly source?: (SourceLine & { readonly inboundLine?: number | undefined }) | undefined;
  /** Which employees may use it. Left out: users are not looked at. */
  readonly azure?:
    | { readonly enabled?: boolean; readonly allowAllUsers: boolean; readonly groups: readonly string[] }
    | undefined;
}

/** What the rules of a target give one caller. */
export interface Admission {
  readonly wildcard: boolean;
  readonly rule?: SourceLine | undefined;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
}

/** A target, made ready for decisions. */
export interface Target {
  readonly application: PolicyApplication;
  /** Its id, taken apart. */
  readonly home: ApplicationId;
  /** By the caller's id. */
  readonly exact: ReadonlyMap<string, Admission>;
  /** The rules with a `*`. */
  readonly wild: readonly InboundRule[];
  /** The first rule for an application of this name, wherever that runs: what a refused caller may have relied on. */
  readonly namesake: (name: string) => InboundRule | undefined;
}

/** Something legal that somebody should know. */
export interface PolicyWarning {
  readonly code: "wildcard" | "unknown_caller" | "declared_twice" | "malformed_id";
  readonly application: string;
  readonly message: string;
  readonly rule?: SourceLine | undefined;
}

/** Everything that decisions look at. Frozen once made. */
export interface Policy {
  readonly size: number;
  readonly warnings: readonly PolicyWarning[];
  readonly target: (id: string) => Target | undefined;
  /** A known application that `id` may have been meant to be. */
  readonly similar: (id: string) => string | undefined;
  readonly newDecisionId: () => string;
}

/**
 * Makes a policy of applications and their inbound rules: maps by target and caller, so that a decision is a look-up.
 * Of two applications with one id the first counts. Wildcards, rules for unknown callers and the like are reported in
 * `warnings`. `newDecisionId` gives decisions their ids; the default is ten random characters.
 */
export function createPolicy(
  applications: Iterable<PolicyApplication>,
  options: { readonly newDecisionId?: () => string } = {},
): Policy {
  const targets = new Map<string, Target>();
  const warnings: PolicyWarning[] = [];
  for (const application of applications) {
    const { id } = application;
    const home = parseApplicationId(id);
    if (home === undefined) {
      warnings.push({
        code: "malformed_id",
        application: id,
        message: `${id} is not cluster:namespace:name`,
      });
    } else if (targets.has(id)) {
      const message = `${id} is declared more than once; the first declaration counts`;
      warnings.push({ code: "declared_twice", application: id, message, rule: application.source });
    } else {
      targets.set(id, toTarget(application, home));
    }
  }
  for (const target of targets.values()) warnOf(target, targets, warnings);
  const similar = similarTo(targets);
  return Object.freeze({
    size: targets.size,
    warnings,
    target: (id: string) => targets.get(id),
    similar,
    newDecisionId: options.newDecisionId ?? randomIds(),
  });
}

function toTarget(application: PolicyApplication, home: ApplicationId): Target {
  const exact = new Map<string, Admission>();
  const wild: InboundRule[] = [];
  for (const rule of application.inbound) {
    if (isWild(rule)) {
      wild.push(rule);
      continue;
    }
    const caller = `${rule.cluster}:${rule.namespace}:${rule.application}`;
    const known = exact.get(caller);
    exact.set(caller, known === undefined ? admissionOf(rule, false) : joined(known, rule));
  }
  return { application, home, exact, wild, namesake: namesakesOf(application.inbound) };
}

/** Made at the first refusal: a walk over the rules would be most of what a refusal costs. */
function namesakesOf(inbound: readonly InboundRule[]): Target["namesake"] {
  let byName: Map<string, InboundRule> | undefined;
  return (name) => {
    byName ??= new Map(inbound.toReversed().map((rule) => [rule.application, rule]));
    return byName.get(name);
  };
}

function isWild(rule: InboundRule): boolean {
  return rule.application === "*" || rule.namespace === "*" || rule.cluster === "*";
}

function admissionOf(rule: InboundRule, wildcard: boolean): Admission {
  return Object.freeze({ wildcard, rule: rule.source, roles: rule.roles, scopes: rule.scopes });
}

function joined(admission: Admission, rule: InboundRule): Admission {
  const roles = [...new Set([...admission.roles, ...rule.roles])];
  const scopes = [...new Set([...admission.scopes, ...rule.scopes])];
  return Object.freeze({ ...admission, roles, scopes });
}

/**
 * What the target's rules give the caller: the union of every rule that names it, or `undefined` where none does.
 * `actor` is the caller's id taken apart; it is only looked at where the target has wildcards.
 */
export function admissionFor(target: Target, actorId: string, actor: ApplicationId): Admission | undefined {
  let admission = target.exact.get(actorId);
  for (const rule of target.wild) {
    if (!matches(rule, actor)) continue;
    admission = admission === undefined ? admissionOf(rule, true) : joined(admission, rule);
  }
  return admission;
}

function matches(rule: InboundRule, actor: ApplicationId): boolean {
  return (
    (rule.application === "*" || rule.application === actor.name) &&
    (rule.namespace === "*" || rule.namespace === actor.namespace) &&
    (rule.cluster === "*" || rule.cluster === actor.cluster)
  );
}

function warnOf(target: Target, targets: ReadonlyMap<string, Target>, warnings: PolicyWarning[]): void {
  const { id, inbound } = target.application;
  const home = id.slice(0, id.indexOf(":"));
  for (const rule of inbound) {
    if (isWild(rule)) {
      const message = `${id} admits ${inWords(rule)}`;
      warnings.push({ code: "wildcard", application: id, message, rule: rule.source });
      continue;
    }
    const caller = `${rule.cluster}:${rule.namespace}:${rule.application}`;
    // Applications of other clusters are often declared elsewhere.
    if (rule.cluster !== home || targets.has(caller)) continue;
    const message = `${id} admits ${caller}, which no manifest declares`;
    warnings.push({ code: "unknown_caller", application: id, message, rule: rule.source });
  }
}

/** Whom a rule with a `*` admits. */
export function inWords(rule: InboundRule): string {
  const who = rule.application === "*" ? "every application" : `an application named ${rule.application}`;
  const where = rule.namespace === "*" ? "any namespace" : `namespace ${rule.namespace}`;
  return `${who} in ${where} of ${rule.cluster === "*" ? "any cluster" : `cluster ${rule.cluster}`}`;
}

const similarCandidates = 200;

function similarTo(targets: ReadonlyMap<string, Target>): (id: string) => string | undefined {
  let byName: Map<string, string> | undefined;
  let byHome: Map<string, string[]> | undefined;
  return (id) => {
    const wanted = parseApplicationId(id);
    if (wanted === undefined) return undefined;
    if (byName === undefined || byHome === undefined) {
      byName = new Map();
      byHome = new Map();
      for (const known of targets.keys()) {
        const at = known.lastIndexOf(":");
        byName.set(known.slice(at + 1), known);
        const neighbours = byHome.getOrInsert(known.slice(0, at), []);
        if (neighbours.length < similarCandidates) neighbours.push(known.slice(at + 1));
      }
    }
    const home = `${wanted.cluster}:${wanted.namespace}`;
    const neighbour = nearMiss(wanted.name, byHome.get(home) ?? []);
    return neighbour === undefined ? byName.get(wanted.name) : `${home}:${neighbour}`;
  };
}

const idAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const idLength = 10;

function randomIds(): () => string {
  const pool = new Uint8Array(idLength * 256);
  let next = pool.length;
  return () => {
    if (next === pool.length) {
      crypto.getRandomValues(pool);
      next = 0;
    }
    let id = "";
    for (const end = next + idLength; next < end; next++) id += idAlphabet[(pool[next] ?? 0) & 31];
    return id;
  };
}

// Every reason that a decision can deny for: the explanation's own patch is written into the manifest, and the call made again.
import {
  applyFix,
  createLandscape,
  decide,
  decisionReasons,
  parseManifests,
  type Question,
} from "@portvakt/policy";
import { now, type Scenarios } from "./kit.ts";

const manifests = `apiVersion: nais.io/v1alpha1
kind: Application
metadata: { name: api, namespace: benefits }
spec:
  azure: { application: { enabled: true, claims: { groups: [{ id: case-workers }] } } }
  accessPolicy:
    inbound:
      rules:
        - application: tool
          permissions: { scopes: [read] }
        - application: far
          cluster: remote
        - application: near
          namespace: other
---
apiVersion: nais.io/v1alpha1
kind: Application
metadata: { name: closed, namespace: benefits }
spec: {}
`;
const onBehalfOf = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const usual: Question = {
  actor: "local:benefits:tool",
  target: "local:benefits:api",
  grant: onBehalfOf,
  now: now(),
};

function ask(
  text: string,
  question: Question,
): { says: string; fix: Parameters<typeof applyFix>[1] | undefined } {
  const { applications } = parseManifests([{ file: "app.yaml", text }], { cluster: "local" });
  const { id, outcome, reason, explanation, fix } = decide(createLandscape(applications).policy, question);
  return { says: outcome === "allow" ? "ok" : `${id} ${reason}: ${explanation}`, fix };
}

/** The patch of the decision, written into the manifest. */
function patched(more: Partial<Question>) {
  const question = { ...usual, ...more };
  const before = ask(manifests, question);
  return {
    wrong: () => Promise.resolve(before.says),
    fixed: () => {
      const text = before.fix && applyFix(manifests, before.fix);
      return Promise.resolve(text === undefined ? "no patch" : ask(text, question).says);
    },
  };
}

/** No manifest is wrong: the question is. */
function reworded(more: Partial<Question>, right: Partial<Question> = {}, text = manifests) {
  return {
    wrong: () => Promise.resolve(ask(manifests, { ...usual, ...more }).says),
    fixed: () => Promise.resolve(ask(text, { ...usual, ...right }).says),
  };
}

const newcomer = manifests
  .replace("name: closed", "name: newcomer")
  .replace("spec: {}", "spec: { accessPolicy: { inbound: { rules: [{ application: tool }] } } }");

export const decisionScenarios: Scenarios = {
  malformed_actor: reworded({ actor: "tool" }),
  malformed_target: reworded({ target: "api" }),
  unknown_target: reworded(
    { target: "local:benefits:newcomer" },
    { target: "local:benefits:newcomer" },
    newcomer,
  ),
  no_inbound_rules: patched({ target: "local:benefits:closed" }),
  no_rule: patched({ actor: "local:benefits:stranger" }),
  other_namespace: patched({ actor: "local:benefits:near" }),
  other_cluster: patched({ actor: "local:benefits:far" }),
  scope_not_granted: patched({ scope: ["write"] }),
  user_not_assigned: patched({ subject: { groups: ["auditors"] } }),
};

/** Reasons to allow: nothing is refused. */
export const allowed = Object.entries(decisionReasons).flatMap(([code, { outcome }]) =>
  outcome === "allow" ? [code] : [],
);

/**
 * Manifests, access policy, decisions.
 *
 * Owns: what a manifest may say (schema, problems with their place), the model of an application, who may call whom,
 * and the sentence and the patch that go with each decision.
 * Does not own: reading files, registering clients, tokens and their claims, who the actor is.
 * Request path: manifest.ts (documents, template, schema, assemble) once at the start; then policy.ts -> decide.ts
 * (reasons, fix) for each token. Whoever asks about many at once (who may call whom, what would change): access/. Who may call whom
 * as a picture: graph/.
 * Spec: nais.io/v1alpha1 Application and Naisjob; portvakt.dev/v1.
 */
export { formatApplicationId, parseApplicationId } from "./application.ts";
export type {
  Application,
  ApplicationId,
  AzureDeclaration,
  ExposedScope,
  InboundRule,
  OutboundRule,
  Sidecar,
  SourceLine,
} from "./application.ts";
export type { Problem } from "./manifest/documents.ts";
export { parseManifests } from "./manifest/manifest.ts";
export type { ManifestOptions, ManifestSource, ParsedManifests } from "./manifest/manifest.ts";
export { manifestJsonSchema } from "./manifest/schema.ts";
export type { JsonSchema } from "./manifest/schema.ts";
export { decisionsMarkdown, manifestMarkdown } from "./reference.ts";
export { createPolicy } from "./policy.ts";
export type { Admission, Policy, PolicyApplication, PolicyWarning, Target } from "./policy.ts";
export { decide } from "./decide.ts";
export type { Decision, Question } from "./decide.ts";
export { decisionReasons } from "./reasons.ts";
export type { DecisionReason, Owner } from "./reasons.ts";
export type { Fix } from "./fix.ts";
export { createLandscape } from "./access/landscape.ts";
export type { Landscape } from "./access/landscape.ts";
export { wayNames, ways, waysBetween } from "./access/ways.ts";
export type { Way, WayName } from "./access/ways.ts";
export { mayCall } from "./access/call.ts";
export type { Call, CallQuestion, Obstacle } from "./access/call.ts";
export { hindrances } from "./access/hindrances.ts";
export type { Hindrance } from "./access/hindrances.ts";
export { compareAccess, takesAccess } from "./access/changes.ts";
export type { AccessChange, Changes } from "./access/changes.ts";
export type { WildcardChange } from "./access/wildcards.ts";
export type { Audience, AudienceChange, Consumers, ScopeChange } from "./access/audiences.ts";
export { changeKinds } from "./access/change-kind.ts";
export type { ChangeKind } from "./access/change-kind.ts";
export { nearMiss } from "./near-miss.ts";
export { applyFix } from "./access/apply-fix.ts";
export { movedTo } from "./access/moved.ts";
export { graphOf, nextTo } from "./graph/graph-model.ts";
export type { Graph, GraphEdge, GraphNode, SignIn } from "./graph/graph-model.ts";
export { graphMermaid } from "./graph/mermaid.ts";
export { graphSvg } from "./graph/svg.ts";

// Owns: doubles of ID-porten, Entra ID and Maskinporten that refuse what production would refuse.
// Does not own: the protocol (packages/oauth), the token pipeline (packages/issuer), access policy (packages/policy).
// Request path: main -> start -> app (one per provider) -> idporten | entra | maskinporten -> packages/issuer.
// Spec: OpenID Connect Core 1.0, RFC 6749, 7523, 7636, 8414, 9126, 9207, and each provider's own documentation.

export {
  registrationsSchema,
  defaultTenants,
  type Registrations,
  type RegistrationsInput,
} from "./registrations.ts";
export { metrics } from "./observed.ts";
export { settings } from "./settings.ts";
export { start } from "./start.ts";
export { login, startStandins, type SignInPage, type StartStandinsOptions } from "./test-kit.ts";
export { openStandins, type Standins, type StandinsOptions, type TestStandins } from "./standins.ts";
export type { TokenOrder } from "./standin.ts";
export type { Effect, Endpoint, Fault, FaultOrder, ProviderName } from "./faults/faults.ts";
export type { RecordedRequest, RecordFilter } from "./faults/recorder.ts";
export {
  builtinPersonas,
  groupsOf,
  parsePersonas,
  type Citizen,
  type Employee,
  type Personas,
} from "./personas/personas.ts";
export { fidelityMarkdown } from "./fidelity/fidelity.ts";

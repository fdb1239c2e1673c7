/**
 * Fields of the platform's manifests that are no business of ours, so that none of them is taken for a slip of the
 * finger near one of ours.
 */
const foreign: Readonly<Record<string, ReadonlySet<string>>> = {
  metadata: new Set([
    "annotations",
    "creationTimestamp",
    "generation",
    "uid",
    "resourceVersion",
    "finalizers",
  ]),
  "metadata.labels": new Set(["app", "name", "tier", "type", "version"]),
  spec: new Set(
    (
      "activeDeadlineSeconds backoffLimit cleanup command completions concurrencyPolicy elastic " +
      "envFrom failedJobsHistoryLimit filesFrom frontend gcp influx kafka leaderElection " +
      "logformat logtransform observability openSearch parallelism postgres preStopHook " +
      "preStopHookPath redirects redis replicas resources restartPolicy schedule secureLogs " +
      "securityContext service skipCaBundle startup strategy successfulJobsHistoryLimit " +
      "terminationGracePeriodSeconds timeZone ttl ttlSecondsAfterFinished valkey vault webproxy"
    ).split(" "),
  ),
  "spec.liveness": new Set(["failureThreshold", "initialDelay", "periodSeconds", "port", "timeout"]),
  "spec.readiness": new Set(["failureThreshold", "initialDelay", "periodSeconds", "port", "timeout"]),
  "spec.prometheus": new Set(["enabled", "port"]),
  "spec.azure.application": new Set(["singlePageApplication"]),
  "spec.azure.application.claims": new Set(["extra"]),
  "spec.azure.sidecar": new Set(["resources"]),
  "spec.idporten.sidecar": new Set(["resources"]),
};
const none: ReadonlySet<string> = new Set();

/** The known fields of others in the object at `path`. */
export function foreignFields(path: readonly (string | number)[]): ReadonlySet<string> {
  return foreign[path.join(".")] ?? none;
}

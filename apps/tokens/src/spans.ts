import type { SpanKind } from "@portvakt/runtime/observe";

/** What the token API traces beside its requests and those to providers. */
export const spans = {
  acquire: {
    name: "get token",
    help: "A token is asked for at a provider, retries included, because none is held.",
    attributes: ["provider", "target"],
  },
  judge: {
    name: "verify token",
    help: "A token is judged that is not remembered; the provider's keys are fetched within it when they are old.",
    attributes: ["provider", "outcome"],
  },
} as const satisfies Readonly<Record<string, SpanKind>>;

/**
 * `@portvakt/sdk/browser`: what a page behind the login proxy does about its session. Imports nothing, so that it stays small.
 *
 * Owns: asking for the session's state, saying when it is about to end, keeping it alive while somebody works, signing in again
 * without losing what was typed. Does not own: the session (the login proxy's), the keeping of forms (forms.ts).
 * Request path: GET <prefix>/session, POST <prefix>/session/refresh, <prefix>/login, <prefix>/logout.
 * Spec: the login proxy's session endpoints; RFC 10017 section 6.1: no token ever comes to the page.
 */
import { restoreForms, saveForms } from "./forms.ts";

/** How a session stands. */
export interface SessionState {
  /** "inactive": it timed out, and signing in again wakes it up. "ended": there is none. "unknown": nobody could say. */
  readonly status: "active" | "inactive" | "ended" | "unknown";
  /** Seconds until it ends or times out, whichever is first; absent where it does neither or is not active. */
  readonly secondsLeft?: number;
}

export interface WatchOptions {
  /** Where the login proxy answers, default `/oauth2`. With an ingress below a path, that path is before it. */
  readonly prefix?: string;
  /** Seconds before the end at which `onExpiring` is called, default 120. */
  readonly expiringSeconds?: number;
  /** Least seconds between two calls that keep the session alive, default 60; 0 keeps nothing alive. */
  readonly keepAliveSeconds?: number;
  /** Called once before the session ends, though somebody may be working: time to ask whether to go on. */
  readonly onExpiring?: (state: SessionState) => void;
  /** Called when the session is over or inactive: time to offer `signIn()`. */
  readonly onEnded?: (state: SessionState) => void;
}

export interface SessionWatch {
  /** Asks now. Does not count as activity. */
  check(): Promise<SessionState>;
  /** Counts as activity and renews tokens: what a button "stay signed in" does. */
  extend(): Promise<SessionState>;
  /**
   * Signs in again. "popup": in a window of its own, which closes by itself; the page stays as it is, and the promise says
   * whether it worked. To be called while a click is handled, or the browser blocks the window; then, and with "redirect",
   * the page goes to sign in and comes back with its forms as they were (passwords and files excepted).
   */
  signIn(how?: "popup" | "redirect"): Promise<boolean>;
  signOut(): void;
  /** Ends the watch. */
  stop(): void;
}

interface Answer {
  readonly session: {
    readonly active: boolean;
    readonly ends_in_seconds: number;
    readonly timeout_in_seconds: number;
  };
}

/** Signs of somebody at work. Moving the mouse is none: it happens by itself. */
const activities = ["keydown", "pointerdown", "wheel", "touchstart"] as const;

/** The longest that a timer of browsers takes, and once a day is often enough to ask. */
const longestWait = 86_400;

/** Watches the session of the page that it runs in, from now until `stop`. Restores forms that `signIn` kept. Throws nothing. */
export function watchSession(options: WatchOptions = {}): SessionWatch {
  const { prefix = "/oauth2", expiringSeconds = 120, keepAliveSeconds = 60 } = options;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let told: "expiring" | "ended" | undefined;
  let resting = false;
  let stopped = false;

  const ask = async (path: string, method: string): Promise<SessionState> => {
    const state = await stateOf(prefix + path, method);
    if (!stopped) follow(state);
    return state;
  };
  const check = (): Promise<SessionState> => ask("/session", "GET");
  const extend = (): Promise<SessionState> => ask("/session/refresh", "POST");
  const follow = (state: SessionState): void => {
    clearTimeout(timer);
    const { status, secondsLeft } = state;
    if (status === "unknown") {
      wait(30);
    } else if (status !== "active") {
      if (told !== "ended") options.onEnded?.(state);
      told = "ended";
    } else if (secondsLeft !== undefined && secondsLeft <= expiringSeconds) {
      if (told !== "expiring") options.onExpiring?.(state);
      told = "expiring";
      wait(secondsLeft + 1);
    } else {
      told = undefined;
      if (secondsLeft !== undefined) wait(secondsLeft - expiringSeconds);
    }
  };
  const wait = (seconds: number): void => {
    timer = setTimeout(() => void check(), Math.min(seconds, longestWait) * 1000);
  };
  const active = (event: Event): void => {
    if (!event.isTrusted || resting || told === "ended" || keepAliveSeconds <= 0) return;
    resting = true;
    setTimeout(() => (resting = false), keepAliveSeconds * 1000);
    void extend();
  };
  // A machine that slept has timers that are late.
  const seen = (): void => {
    if (document.visibilityState === "visible") void check();
  };
  for (const name of activities) addEventListener(name, active, { capture: true, passive: true });
  document.addEventListener("visibilitychange", seen);
  restoreForms();
  void check();
  return {
    check,
    extend,
    signIn: async (how = "popup") => (await signedIn(prefix, how)) && (await check()).status === "active",
    signOut: () => location.assign(`${prefix}/logout`),
    stop() {
      stopped = true;
      clearTimeout(timer);
      for (const name of activities) removeEventListener(name, active, { capture: true });
      document.removeEventListener("visibilitychange", seen);
    },
  };
}

async function stateOf(url: string, method: string): Promise<SessionState> {
  try {
    const response = await fetch(url, { method, headers: { accept: "application/json" }, cache: "no-store" });
    if (response.status === 401) return { status: "ended" };
    if (!response.ok) return { status: "unknown" };
    const { active, ends_in_seconds, timeout_in_seconds } = ((await response.json()) as Answer).session;
    if (!active) return { status: "inactive" };
    // -1 stands for never.
    const ends = [ends_in_seconds, timeout_in_seconds].filter((seconds) => seconds >= 0);
    return ends.length === 0 ? { status: "active" } : { status: "active", secondsLeft: Math.min(...ends) };
  } catch {
    return { status: "unknown" };
  }
}

/** Resolves when it may have worked; a redirect leaves the page. */
async function signedIn(prefix: string, how: "popup" | "redirect"): Promise<boolean> {
  const back = encodeURIComponent(location.pathname + location.search);
  const address = `${prefix}/login?redirect=${back}`;
  const popup = how === "popup" ? open(address, "portvakt-sign-in", "popup,width=520,height=720") : null;
  if (popup === null) {
    saveForms();
    location.assign(address);
    return new Promise<boolean>(() => undefined);
  }
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const over = popup.closed;
    const { status } = await stateOf(`${prefix}/session`, "GET");
    if (status === "active") popup.close();
    if (over || status === "active") return status === "active";
  }
}

import type { Socket } from "node:net";
import { ResponseParser, type ResponseEvents } from "./response.ts";

/** Who waits for the answer to one request. */
export interface Receiver {
  onHead(status: number, reason: string, headers: string[]): void;
  /** A piece of the body; false = no more for now, until `resume` is called. */
  onBody(piece: Buffer): boolean;
  /** Everything that came together has been given: what waits for more may go out. */
  onPause(): void;
  onEnd(trailers: string[]): void;
  /** The connection takes more of the request's body again. */
  onDrain(): void;
  /** There will be no (more of an) answer. `unheard` = a kept connection ended before a byte came back: RFC 9110 section 9.2.2 may apply. */
  onError(error: Error, unheard: boolean): void;
}

/** A request that is on its way: its body goes in here, and what stops it. */
export interface Sending {
  /** Sends a piece of the body; false = wait for `onDrain`. */
  write(piece: Buffer | string): boolean;
  /** The request is complete. */
  end(): void;
  /** Lets the answer's body flow again. */
  resume(): void;
  /** Nobody wants the answer any more. */
  abort(): void;
}

/** One turn of `Connection.tick`, milliseconds. */
export const tickMilliseconds = 500;
/** Servers close idle connections of their own accord, some after 2 s; who is sooner never meets one closing. */
const idleTicks = 3;
/** How long an answer may take to begin: five minutes. */
const patientTicks = 600;

/** One connection to the application: one request at a time, kept for the next one where that is safe. */
export class Connection implements Sending, ResponseEvents {
  readonly #socket: Socket;
  readonly #parser = new ResponseParser(this);
  readonly #onIdle: (connection: Connection) => void;
  #receiver: Receiver | undefined;
  #isUsed = false;
  #isSent = true;
  #heard = false;
  #ticks = 0;

  /** `onIdle` is called when another request may be sent. */
  constructor(socket: Socket, onIdle: (connection: Connection) => void) {
    this.#socket = socket;
    this.#onIdle = onIdle;
    socket.on("data", (bytes: Buffer) => this.#read(bytes));
    socket.on("drain", () => this.#receiver?.onDrain());
    socket.on("end", () => this.#readEnd());
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the application closed the connection")));
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.readable && this.#socket.writable;
  }

  /** Sends a request's head, and awaits the answer. A request with a body is complete when `end` was called. */
  send(method: string, head: string, hasBody: boolean, receiver: Receiver): void {
    this.#receiver = receiver;
    this.#isSent = !hasBody;
    this.#heard = false;
    this.#ticks = 0;
    this.#parser.expect(method);
    if (hasBody) this.#corkOneTurn();
    this.#socket.write(head, "latin1");
  }

  write(piece: Buffer | string): boolean {
    this.#ticks = 0;
    return this.#socket.write(piece, "latin1");
  }

  end(): void {
    this.#isSent = true;
  }

  resume(): void {
    this.#socket.resume();
  }

  abort(): void {
    this.#receiver = undefined;
    this.#socket.destroy();
  }

  /** Called every `tickMilliseconds`: a timer for each request would cost more than reading its head. */
  tick(): void {
    this.#ticks += 1;
    if (this.#receiver === undefined) {
      if (this.#ticks > idleTicks) this.#socket.destroy();
    } else if (this.#parser.isAwaiting && this.#ticks > patientTicks)
      this.#fail(new Error("the application did not begin its answer in time"));
  }

  onHead(status: number, reason: string, headers: string[]): void {
    this.#ticks = 0;
    this.#receiver?.onHead(status, reason, headers);
  }

  onBody(piece: Buffer): void {
    if (this.#receiver?.onBody(piece) === false) this.#socket.pause();
  }

  onEnd(trailers: string[]): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.onEnd(trailers);
  }

  #read(bytes: Buffer): void {
    this.#heard = true;
    try {
      this.#parser.push(bytes);
    } catch (error) {
      return this.#fail(error);
    }
    if (this.#receiver === undefined) this.#finish();
    else this.#receiver.onPause();
  }

  #readEnd(): void {
    try {
      this.#parser.end();
    } catch (error) {
      return this.#fail(error);
    }
    this.#socket.destroy();
  }

  /** An answer that came before the request was complete, or that was followed by more, leaves the connection in no state to go on. */
  #finish(): void {
    if (!this.#parser.isReusable || !this.#isSent || this.#socket.writableNeedDrain || !this.isOpen) {
      this.#socket.destroy();
      return;
    }
    this.#isUsed = true;
    this.#ticks = 0;
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#onIdle(this);
  }

  #fail(cause: unknown): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    this.#socket.destroy();
    const error = cause instanceof Error ? cause : new Error("the connection failed", { cause });
    receiver?.onError(error, this.#isUsed && !this.#heard);
  }

  /** The beginning of a body usually comes in the same turn as the head, and then shares a packet with it. */
  #corkOneTurn(): void {
    const socket = this.#socket;
    socket.cork();
    setImmediate(() => socket.uncork());
  }
}

/** Calls of functions that are remembered, so that none is reported twice. */
const CALLS_MAX = 256;

/**
 * Whose turn it is: the response that is being made, the functions it called, and whether another response is
 * owed to their results. Only one response may be made at a time, so an owed one waits.
 */
export class Turn {
  #responseId: string | null = null;
  #isServerCancelling = false;
  #isResponseOwed = false;
  readonly #openCalls = new Set<string>();
  readonly #names = new Map<string, string>();
  readonly #reported = new Set<string>();

  /** The response that is being made; null when none is. */
  get responseId(): string | null {
    return this.#responseId;
  }

  began(responseId: string): void {
    this.#responseId = responseId;
    this.#isServerCancelling = false;
  }

  /** The response is over; true when one that was owed is to be asked for now. */
  ended(): boolean {
    this.#responseId = null;
    this.#isServerCancelling = false;
    return this.#takeOwed();
  }

  /** The backend itself heard the caller, and stops by itself where it was told to. */
  heardCaller(interruptsItself: boolean): void {
    this.#isServerCancelling = interruptsItself && this.#responseId !== null;
  }

  /** Whether it must be told to stop: it is speaking, and will not stop by itself. */
  get mustCancel(): boolean {
    return this.#responseId !== null && !this.#isServerCancelling;
  }

  /** The function of a call, said when its item appeared: its arguments come without it in the beta. */
  named(callId: string, name: string): void {
    remember(this.#names, callId, name);
  }

  nameOf(callId: string): string | undefined {
    return this.#names.get(callId);
  }

  /** False when this call was reported before. */
  report(callId: string): boolean {
    if (this.#reported.has(callId)) return false;
    this.#reported.add(callId);
    this.#openCalls.add(callId);
    for (const oldest of this.#reported) {
      if (this.#reported.size <= CALLS_MAX) break;
      this.#reported.delete(oldest);
      this.#openCalls.delete(oldest);
    }
    return true;
  }

  /** The result of a call was sent; true when the response that makes use of it is to be asked for now. */
  answered(callId: string): boolean {
    this.#openCalls.delete(callId);
    this.#names.delete(callId);
    this.#isResponseOwed = true;
    return this.#takeOwed();
  }

  /** It was asked for too early. */
  owe(): void {
    this.#isResponseOwed = true;
  }

  #takeOwed(): boolean {
    if (!this.#isResponseOwed || this.#responseId !== null || this.#openCalls.size > 0) return false;
    this.#isResponseOwed = false;
    return true;
  }
}

function remember(map: Map<string, string>, key: string, value: string): void {
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= CALLS_MAX) return;
    map.delete(oldest);
  }
}

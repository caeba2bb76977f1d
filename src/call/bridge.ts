import type { Party } from './party.ts';

const NOBODY: readonly Party[] = [];

/**
 * Who hears whom. Default: the caller and the active agent hear each other. The whole arrangement is
 * replaced at once,
 * so a change falls between two frames and no party ever hears two arrangements.
 */
export class Bridge {
  #listeners: ReadonlyMap<Party, readonly Party[]> = new Map();

  /** Who hears `speaker` now. */
  listenersOf(speaker: Party): readonly Party[] {
    return this.#listeners.get(speaker) ?? NOBODY;
  }

  /** Joins one caller and whoever has the caller's ear; either may be missing. */
  join(caller: Party | undefined, partner: Party | undefined): void {
    if (caller === undefined || partner === undefined) {
      this.#listeners = new Map();
      return;
    }
    this.#listeners = new Map([
      [caller, [partner]],
      [partner, [caller]],
    ]);
  }
}

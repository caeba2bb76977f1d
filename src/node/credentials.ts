import type { CredentialView, StreamCredential } from '../events/commands.ts';
import type { CredentialLookup } from '../gateway/door/admission.ts';

/** The node's view of the stream credentials that are valid: what control sent last. */
export class Credentials implements CredentialLookup {
  #byHash: ReadonlyMap<string, StreamCredential> | undefined;
  #version = -1;

  /** A node that has no view yet does not listen (contract.md §2). */
  get isKnown(): boolean {
    return this.#byHash !== undefined;
  }

  get(secretHash: string): StreamCredential | undefined {
    return this.#byHash?.get(secretHash);
  }

  /** Takes the view, unless a newer one is here: two answers of control may overtake each other. */
  apply(view: CredentialView): void {
    if (view.version < this.#version) return;
    this.#version = view.version;
    this.#byHash = new Map(view.credentials.map((credential) => [credential.secretHash, credential]));
  }
}

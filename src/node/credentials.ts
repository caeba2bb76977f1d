import type { CredentialView, StreamCredential } from '../events/commands.ts';
import type { CredentialLookup } from '../gateway/door/admission.ts';

/** The node's view of the stream credentials that are valid: what control sent last. */
export class Credentials implements CredentialLookup {
  #byHash: ReadonlyMap<string, StreamCredential> | undefined;
  #controlled: ReadonlySet<string> = new Set();
  #version = -1;

  /** A node that has no view yet does not listen (contract.md §2). */
  get isKnown(): boolean {
    return this.#byHash !== undefined;
  }

  get(secretHash: string): StreamCredential | undefined {
    return this.#byHash?.get(secretHash);
  }

  /** Whether control knows the REST account of its provider. */
  hasControl(credentialId: string): boolean {
    return this.#controlled.has(credentialId);
  }

  /** Takes the view, unless a newer one is here: two answers of control may overtake each other. */
  apply(view: CredentialView): void {
    if (view.version < this.#version) return;
    this.#version = view.version;
    const controlled = view.credentials.filter(({ hasControl }) => hasControl === true);
    this.#controlled = new Set(controlled.map(({ id }) => id));
    this.#byHash = new Map(view.credentials.map((credential) => [credential.secretHash, credential]));
  }
}

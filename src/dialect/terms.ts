import type { DialectOption } from './capabilities.ts';
import { AUTO } from './detect.ts';
import type { Dialect } from './dialect.ts';
import type { IssuerProof, OwnProof, WebhookProof } from './proof.ts';

const ISSUER_PROOFS: readonly IssuerProof[] = ['audience', 'keys_url'];

/** What a stream credential may set of a dialect. Proofs that the door checks for all are not told. */
export interface DialectTerms {
  readonly name: string;
  readonly options: readonly Pick<DialectOption, 'name' | 'values'>[];
  readonly proofs: readonly (OwnProof | WebhookProof | IssuerProof)[];
}

/** The terms of every dialect, and of the door that finds out which it is: there, any of them may be set. */
export function termsOf(dialects: readonly Dialect[]): readonly DialectTerms[] {
  const terms = dialects.map(({ name, options, proofs, webhookProofs = [], issuer }) => ({
    name,
    options,
    proofs: [...proofs, ...webhookProofs, ...(issuer === undefined ? [] : ISSUER_PROOFS)],
  }));
  const proofs = [...new Set(terms.flatMap((one) => one.proofs))];
  return [...terms, { name: AUTO, options: mergedOptions(terms), proofs }];
}

function mergedOptions(terms: readonly DialectTerms[]): DialectTerms['options'] {
  const values = new Map<string, Set<string>>();
  for (const option of terms.flatMap(({ options }) => options)) {
    const known = values.get(option.name) ?? new Set();
    values.set(option.name, new Set([...known, ...option.values]));
  }
  return [...values].map(([name, known]) => ({ name, values: [...known] }));
}

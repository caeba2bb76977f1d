import { VoiceError } from '../base/errors.ts';
import type { CredentialVerify } from '../events/commands.ts';
import { providerApiOf } from '../providers/control/registry.ts';
import { isAddressRange } from './door/addresses.ts';
import type { CredentialTerms } from './api-options.ts';

/** Proofs that are checked alike whatever the provider speaks. */
const COMMON_PROOFS: readonly string[] = ['bearer', 'basic', 'ip_allow'];

/** The terms of the protocol a credential is wished for. */
export function termsFor(dialect: string, known: readonly CredentialTerms[]): CredentialTerms {
  const terms = known.find(({ name }) => name === dialect);
  if (terms !== undefined) return terms;
  throw new VoiceError('invalid_argument', `known dialects are ${known.map(({ name }) => name).join(', ')}`, {
    field: 'dialect',
  });
}

/** Refuses what nobody would check at the door: such a credential would let nobody in. */
export function requireCheckable(verify: CredentialVerify, terms: CredentialTerms): void {
  const proofs = [...COMMON_PROOFS, ...terms.proofs];
  const unknown = Object.keys(verify).find((name) => !proofs.includes(name));
  if (unknown !== undefined) {
    throw refusal(
      `${terms.name} cannot check ${unknown}; it checks ${proofs.join(', ')}`,
      `verify.${unknown}`,
    );
  }
  const wrong = verify.ip_allow?.find((range) => !isAddressRange(range));
  if (wrong !== undefined) throw refusal(`${wrong} is no address or CIDR`, 'verify.ip_allow');
  if (verify.keys_url !== undefined && verify.audience === undefined) {
    throw refusal('keys_url is of a JWT, whose audience must be said', 'verify.audience');
  }
  const headers = [verify.bearer, verify.basic, verify.audience].filter((one) => one !== undefined);
  if (headers.length <= 1) return;
  throw refusal('one Authorization header holds one of bearer, basic and a JWT', 'verify.basic');
}

/** Refuses options the protocol does not have, and values they cannot have. */
export function requireOptions(options: Readonly<Record<string, string>>, terms: CredentialTerms): void {
  for (const [name, value] of Object.entries(options)) {
    const option = terms.options.find((one) => one.name === name);
    if (option === undefined) {
      const known = terms.options.map((one) => one.name).join(', ') || 'none';
      throw refusal(`${terms.name} has no option ${name}; its options are: ${known}`, `options.${name}`);
    }
    if (option.values.includes(value)) continue;
    throw refusal(`${name} is one of ${option.values.join(', ')}`, `options.${name}`);
  }
}

/** Refuses an account that could never be used: nobody knows the API, or where it is. */
export function requireUsable({ base_url }: { readonly base_url?: string }, dialect: string): void {
  // Which of them it is, the first messages of a stream will tell.
  if (dialect === 'auto') return;
  const api = providerApiOf(dialect);
  if (api === undefined) throw refusal(`no REST API of ${dialect} is known`, 'control');
  if (base_url !== undefined || api.baseUrl !== undefined) return;
  throw refusal(`every account of ${dialect} has an address of its own`, 'control.base_url');
}

function refusal(sentence: string, field: string): VoiceError {
  return new VoiceError('invalid_argument', sentence, { field });
}

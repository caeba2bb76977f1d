import type { Clock } from '../../base/clock.ts';
import { VoiceError } from '../../base/errors.ts';
import type { DialectCaller } from '../../dialect/caller.ts';
import type { OptionValues } from '../../dialect/capabilities.ts';
import type { Dialect } from '../../dialect/dialect.ts';
import type { OwnProof, StreamProof } from '../../dialect/proof.ts';

/** How a caller proves itself, and what of its wire is not by default: flags as they were given. */
export interface TermFlags {
  readonly authToken?: string;
  readonly signatureSecret?: string;
  readonly apiKey?: string;
  readonly bearer?: string;
  /** `user:password`. */
  readonly basic?: string;
  /** `name=value` each. */
  readonly option?: readonly string[];
}

/** What both ends of a line agree on beside its URL: a stream credential holds the same. */
export interface LineTerms {
  readonly proof: Omit<StreamProof, 'ip_allow'>;
  readonly options: OptionValues;
}

const FLAGS = { auth_token: '--auth-token', signature_secret: '--signature-secret', api_key: '--api-key' };

/** The terms of a command line, held against what the dialect knows. */
export function readTerms(flags: TermFlags, dialect: Dialect): LineTerms {
  return { proof: proofOf(flags, dialect), options: optionsOf(flags.option ?? [], dialect) };
}

/** Whether anything is other than usual. */
export function hasTerms({ proof, options }: LineTerms): boolean {
  return Object.keys(proof).length + Object.keys(options).length > 0;
}

/** The headers of an upgrade: what the protocol says there, and its proofs as the provider makes them. */
export function upgradeHeaders(
  { dialect, proof, url }: { readonly dialect: Dialect; readonly proof: StreamProof; readonly url: string },
  caller: Pick<DialectCaller, 'upgradeHeaders'>,
  clock: Pick<Clock, 'unixMs' | 'randomBytes'>,
): { readonly [name: string]: string } {
  const headers = { ...caller.upgradeHeaders };
  const { bearer, basic } = proof;
  if (bearer !== undefined) headers['Authorization'] = `Bearer ${bearer}`;
  if (basic !== undefined) {
    const pair = Buffer.from(`${basic.username}:${basic.password}`).toString('base64');
    headers['Authorization'] = `Basic ${pair}`;
  }
  const nonce = clock.randomBytes(24).toString('hex');
  return { ...headers, ...dialect.prove?.({ url, headers, nowUnixMs: clock.unixMs(), nonce }, proof) };
}

function proofOf(flags: TermFlags, dialect: Dialect): LineTerms['proof'] {
  const { authToken: auth_token, signatureSecret: signature_secret, apiKey: api_key, bearer, basic } = flags;
  const own: { readonly [name in OwnProof]: string | undefined } = { auth_token, signature_secret, api_key };
  for (const name of ['auth_token', 'signature_secret', 'api_key'] as const) {
    if (own[name] !== undefined && !dialect.proofs.includes(name)) {
      const known = [...dialect.proofs.map((proof) => FLAGS[proof]), '--bearer', '--basic'].join(', ');
      throw wrong(`${FLAGS[name]}: ${dialect.name} has no such proof; it has ${known}`);
    }
  }
  return {
    ...(auth_token !== undefined && { auth_token }),
    ...(signature_secret !== undefined && { signature_secret }),
    ...(api_key !== undefined && { api_key }),
    ...(bearer !== undefined && { bearer }),
    ...(basic !== undefined && { basic: basicOf(basic) }),
  };
}

function basicOf(text: string): { readonly username: string; readonly password: string } {
  const [, username, password] = /^([^:]+):(.+)$/.exec(text) ?? [];
  if (username === undefined || password === undefined) throw wrong('--basic is user:password');
  return { username, password };
}

function optionsOf(texts: readonly string[], { name: dialect, options }: Dialect): OptionValues {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name = '', value = ''] = /^([^=]+)=(.*)$/.exec(text) ?? [];
      const option = options.find((one) => one.name === name);
      if (option === undefined) {
        const known = options.map((one) => one.name).join(', ') || 'none';
        throw wrong(`--option ${text}: options of ${dialect}, as name=value: ${known}`);
      }
      if (!option.values.includes(value)) {
        throw wrong(`--option ${name} is one of ${option.values.join(', ')}`);
      }
      return [name, value] as const;
    }),
  );
}

function wrong(sentence: string): VoiceError {
  return new VoiceError('invalid_argument', sentence);
}

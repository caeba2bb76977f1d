import { createHmac } from 'node:crypto';
import type { UpgradeFacts } from '../proof.ts';

/** A longer one than any client makes is not worth a look. */
const FIELD_CHARACTERS_MAX = 4_096;
const COMPONENTS_MAX = 16;
const TEXT = String.raw`"[\x20\x21\x23-\x5b\x5d-\x7e]*"`;
const COMPONENT_LIST = `${TEXT}(?: ${TEXT})*`;
const PARAMETER_LIST = String.raw`(?:;[a-z]+=(?:${TEXT}|\d{1,15}))+`;
/** `sig1=("@authority" "x-api-key");keyid="…";created=1641013200`, spelled as RFC 8941 §4.1 does. */
const SIGNATURE_INPUT = new RegExp(
  String.raw`^([a-z*][a-z0-9_\-.*]*)=(\((${COMPONENT_LIST})\)(${PARAMETER_LIST}))$`,
);
const PARAMETER = /;([a-z]+)=(?:"([^"]*)"|(\d+))/g;
const PARAMETERS: readonly string[] = ['keyid', 'nonce', 'alg', 'created', 'expires'];

/** A signature as two header fields carry it (draft-ietf-httpbis-message-signatures-11). */
export interface MessageSignature {
  readonly components: readonly string[];
  readonly parameters: { readonly [name: string]: string };
  /** What is signed of the parameters: the field itself, behind its label. */
  readonly signatureParams: string;
  readonly signature: string;
}

/** Reads both fields; undefined where they are missing, of several signatures, or in an odd spelling. */
export function readSignature(headers: UpgradeFacts['headers']): MessageSignature | undefined {
  const input = headers['signature-input']?.trim() ?? '';
  if (input.length > FIELD_CHARACTERS_MAX) return undefined;
  const [, label, signatureParams, names = '', given = ''] = SIGNATURE_INPUT.exec(input) ?? [];
  if (label === undefined || signatureParams === undefined) return undefined;
  const components = names.split(' ').map((name) => name.slice(1, -1));
  const parameters = [...given.matchAll(PARAMETER)].map(
    ([, name = '', text, number]) => [name, text ?? number ?? ''] as const,
  );
  const parameterNames = parameters.map(([name]) => name);
  if (components.length > COMPONENTS_MAX || hasTwins(components) || hasTwins(parameterNames))
    return undefined;
  if (parameterNames.some((name) => !PARAMETERS.includes(name))) return undefined;
  const signature = signatureOf(headers['signature'], label);
  if (signature === undefined) return undefined;
  return { components, parameters: Object.fromEntries(parameters), signatureParams, signature };
}

/** The signature in base64: HMAC-SHA256 of one line for each component, and one for the parameters. */
export function signComponents(
  components: readonly (readonly [name: string, value: string])[],
  signatureParams: string,
  secret: Uint8Array,
): string {
  const lines = components.map(([name, value]) => `"${name}": ${value}`);
  const base = [...lines, `"@signature-params": ${signatureParams}`].join('\n');
  return createHmac('sha256', secret).update(base).digest('base64');
}

function signatureOf(field: string | undefined, label: string): string | undefined {
  const [name, rest] = splitOnce(field?.trim() ?? '', '=');
  return name === label ? /^:([A-Za-z0-9+/]{43}=):$/.exec(rest)?.[1] : undefined;
}

function splitOnce(text: string, by: string): readonly [string, string] {
  const at = text.indexOf(by);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function hasTwins(names: readonly string[]): boolean {
  return new Set(names).size < names.length;
}

import { refuse, type FaultCode, type Refusal } from '../base/errors.ts';
import { isObject, textOf } from '../base/json.ts';

const NAME_CHARACTERS_MAX = 256;
const PARAMETERS_MAX = 64;
const PARAMETER_NAME_CHARACTERS_MAX = 128;
/** Parameters travel in every event of their call; together they stay small. */
const PARAMETER_CHARACTERS_MAX = 8_192;

/** What a stream says about its call, beyond its protocol's own words. */
export type Parameters = { readonly [name: string]: string };

/** A name, an id or a reason of a stranger: text that is neither empty nor long. */
export function nameOf(value: unknown): string | undefined {
  const text = textOf(value);
  return text !== undefined && isName(text, NAME_CHARACTERS_MAX) ? text : undefined;
}

/** One DTMF digit in its usual spelling: 0–9, *, #, A–D (ITU-T Q.23). */
export function digitOf(value: unknown): string | undefined {
  const digit = textOf(value)?.toUpperCase();
  return digit !== undefined && /^[0-9*#A-D]$/.test(digit) ? digit : undefined;
}

/** A boolean, or a text that spells one; `otherwise` where nothing is said, undefined where nonsense is. */
export function flagOf(value: unknown, otherwise: boolean): boolean | undefined {
  if (value === undefined || value === null) return otherwise;
  if (value === true || value === 'true') return true;
  return value === false || value === 'false' ? false : undefined;
}

/** Named texts. Numbers and booleans become text, null is as good as absent, anything deeper is refused. */
export function parametersOf(value: unknown, fault: FaultCode): Parameters | Refusal {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) return refuse(fault, 'parameters are not an object');
  const entries: [string, string][] = [];
  let characters = 0;
  for (const [name, given] of Object.entries(value)) {
    if (given === null) continue;
    const text = typeof given === 'boolean' ? String(given) : textOf(given);
    if (text === undefined) return refuse(fault, 'a parameter is not text');
    // `__proto__` would be assigned rather than stored by whoever copies parameters carelessly.
    if (!isName(name, PARAMETER_NAME_CHARACTERS_MAX) || name === '__proto__' || text.includes('\0')) {
      return refuse(fault, 'a parameter has an impossible name or value');
    }
    characters += name.length + text.length;
    entries.push([name, text]);
  }
  if (entries.length > PARAMETERS_MAX) return refuse(fault, `more than ${PARAMETERS_MAX} parameters`);
  if (characters > PARAMETER_CHARACTERS_MAX) {
    return refuse(fault, `parameters of more than ${PARAMETER_CHARACTERS_MAX} characters`);
  }
  return Object.fromEntries(entries);
}

/** Whether what a reader gave back is a refusal rather than what it was asked for. */
export function isRefusal(value: object): value is Refusal {
  return 'fault' in value && 'type' in value && value.type === 'refusal';
}

// PostgreSQL stores no NUL in text; a name that no store can keep is refused at the door.
function isName(text: string, charactersMax: number): boolean {
  return text.length > 0 && text.length <= charactersMax && !text.includes('\0');
}

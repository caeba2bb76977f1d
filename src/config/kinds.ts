import { accessSync, constants } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import ipaddr from 'ipaddr.js';

/** A value, or what is wrong with the text: the end of a sentence that begins with the setting's name. */
export type Parsed<T> = { readonly value: T } | { readonly mistake: string };

/** How values of one kind are written, read and described. */
export interface Kind<T> {
  /** What stands for the value in `--help`. */
  readonly hint: string;
  /** What values are allowed, in a few words; empty where the hint says it all. */
  readonly limits: string;
  parse(text: string): Parsed<T>;
  /** The text that parses to the same value: children are told their settings in it. */
  format(value: T): string;
}

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i;

/** A whole number within its limits; `orZero` also allows 0, which then means off. */
export function whole(options: { min: number; max: number; unit?: string; orZero?: true }): Kind<number> {
  const range = `${options.min} to ${options.max}`;
  const limits = options.orZero ? `0, or ${range}` : range;
  return {
    hint: options.unit ?? 'number',
    limits,
    parse: (text) => {
      const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
      const isWithin = value >= options.min && value <= options.max;
      if (isWithin || (options.orZero && value === 0)) return { value };
      return { mistake: `is not a whole number in the range ${limits}` };
    },
    format: String,
  };
}

/** A number with decimals within its limits. */
export function decimal(options: { min: number; max: number; unit?: string }): Kind<number> {
  const limits = `${options.min} to ${options.max}`;
  return {
    hint: options.unit ?? 'number',
    limits,
    parse: (text) => {
      const value = /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
      if (value >= options.min && value <= options.max) return { value };
      return { mistake: `is not a number in the range ${limits}` };
    },
    format: String,
  };
}

/** One word out of a closed set. */
export function choice<const T extends string>(words: readonly T[]): Kind<T> {
  return {
    hint: 'word',
    limits: words.join(', '),
    parse: (text) => {
      const word = words.find((candidate) => candidate === text);
      return word === undefined ? { mistake: `is none of ${words.join(', ')}` } : { value: word };
    },
    format: (value) => value,
  };
}

/** Text of a given form. */
export function text(form: RegExp, limits: string, hint = 'text'): Kind<string> {
  return {
    hint,
    limits,
    parse: (given) => (form.test(given) ? { value: given } : { mistake: `is not ${limits}` }),
    format: (value) => value,
  };
}

/** Where to listen: an address, or a name that resolves to one of ours. */
export const host: Kind<string> = {
  hint: 'host',
  limits: 'an IP address or a host name',
  parse: (given) =>
    isIP(given) !== 0 || HOST_NAME.test(given)
      ? { value: given }
      : { mistake: 'is neither an IP address nor a host name' },
  format: (value) => value,
};

/** A base URL of one of the given schemes, no slash at its end; `{node}` stands for a node's number. */
export function url(schemes: readonly string[], allows?: '{node}'): Kind<string | undefined> {
  const names = schemes.map((scheme) => `${scheme}://`).join(' or ');
  return {
    hint: 'url',
    limits: `${names} without query and fragment`,
    parse: (given) => {
      // No URL parser would take the braces in a host name.
      const parsed = URL.parse(allows === undefined ? given : given.replaceAll(allows, '0'));
      const isPlain = parsed?.search === '' && parsed.hash === '' && !/[{}]/.test(parsed.href);
      if (isPlain && schemes.some((scheme) => parsed.protocol === `${scheme}:`)) {
        return { value: given.replace(/\/+$/, '') };
      }
      return { mistake: `is not a URL that begins with ${names}, without query and fragment` };
    },
    format: (value) => value ?? '',
  };
}

/** A folder; relative to where the command was started, absolute from then on. */
export const folder: Kind<string> = {
  hint: 'dir',
  limits: '',
  parse: (given) => ({ value: resolve(given) }),
  format: (value) => value,
};

/** A PEM file that can be read now. */
export const pemFile: Kind<string | undefined> = {
  hint: 'file',
  limits: 'a PEM file',
  parse: (given) => {
    const path = resolve(given);
    try {
      accessSync(path, constants.R_OK);
      return { value: path };
    } catch {
      // Missing or forbidden: to whoever set it, both are one mistake.
      return { mistake: 'is not a file that can be read' };
    }
  },
  format: (value) => value ?? '',
};

/** Parts between commas, each of them checked; `none` says that there are none. */
export function list(part: string, isPart: (text: string) => boolean): Kind<readonly string[]> {
  return {
    hint: 'list',
    limits: `${part}, between commas, or none`,
    parse: (given) => {
      const parts = splitList(given);
      if (parts.length === 1 && parts[0] === 'none') return { value: [] };
      const wrong = parts.filter((candidate) => !isPart(candidate));
      if (wrong.length === 0) return { value: parts };
      return { mistake: `has ${wrong.map((word) => `"${word}"`).join(', ')}, which is not ${part}` };
    },
    format: (value) => (value.length === 0 ? 'none' : value.join(',')),
  };
}

export function splitList(given: string): string[] {
  return given
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** An address, or a range of them. */
export function isCidr(given: string): boolean {
  return isIP(given) !== 0 || (given.includes('/') && ipaddr.isValidCIDR(given));
}

export function isCidrOrHost(given: string): boolean {
  return isCidr(given) || (HOST_NAME.test(given) && !/^[\d.]+$/.test(given));
}

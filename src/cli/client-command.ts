import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import type { ApiClient } from '../client/api-client.ts';
import type { Listed, ListWish } from '../client/shapes.ts';
import { addAccessFlags, apiAccessOf, openApi, withAdvice, type AccessFlags } from './api-access.ts';

const LIST_LIMIT = 200;

/** Flags of every command that only asks the API. */
export interface ClientFlags extends AccessFlags {
  readonly json?: boolean;
}

/** Adds `--json`, the ways to the API, and examples: what follows `omnivoice`, one a line. */
export function withClientFlags(command: Command, ...lines: readonly string[]): Command {
  return addAccessFlags(command)
    .option('--json', 'the answer as JSON, and nothing else')
    .addHelpText('after', examples(...lines));
}

/** The end of a help text. */
export function examples(...lines: readonly string[]): string {
  const text = lines.map((line) => `  $ omnivoice ${line}`).join('\n');
  return `\nExamples:\n${text}\n\nExit code 0: done; 1: failed; 2: wrong usage.`;
}

/** Asks the API, and says what to do where it cannot be had. */
export async function ask<T>(flags: AccessFlags, question: (api: ApiClient) => Promise<T>): Promise<T> {
  const access = apiAccessOf(flags, process.env);
  return withAdvice(access, () => question(openApi(access, systemClock)));
}

/** Prints an answer, as JSON or in words. */
export function tell(flags: ClientFlags, answer: unknown, words: () => string): void {
  process.stdout.write(flags.json === true ? `${JSON.stringify(answer, null, 2)}\n` : words());
}

/** A whole list, page after page, or its first so many. */
export async function allOf<T>(
  list: (query: ListWish) => Promise<Listed<T>>,
  most: number = Number.POSITIVE_INFINITY,
): Promise<readonly T[]> {
  const all: T[] = [];
  let cursor: string | null = null;
  do {
    const limit = Math.min(LIST_LIMIT, most - all.length);
    const page: Listed<T> = await list({ limit, ...(cursor !== null && { cursor }) });
    all.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null && all.length < most);
  return all;
}

/** An instant as tables show it. */
export function minuteOf(instant: string | null): string {
  return instant === null ? '–' : instant.slice(0, 16).replace('T', ' ');
}

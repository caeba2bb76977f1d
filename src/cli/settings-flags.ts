import { availableParallelism } from 'node:os';
import { Option, type Command } from 'commander';
import { settingsHelp } from '../config/describe.ts';
import { nearestOf } from '../config/nearest.ts';
import { readSettings, type SettingsResult } from '../config/read-settings.ts';
import { flagOf, SETTING_KEYS, type SettingKey } from '../config/settings.ts';

/** Gives a command a flag for every setting; mistakes in them are collected, not thrown one by one. */
export function addSettingFlags(command: Command): Command {
  for (const key of SETTING_KEYS) command.addOption(new Option(`${flagOf(key)} [value]`).hideHelp());
  return command
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText('after', () => `\n${settingsHelp()}`);
}

/** The settings out of a parsed command and the environment, or every mistake in both. */
export function settingsOf(
  command: Command,
  env: { readonly [name: string]: string | undefined },
): SettingsResult {
  const flags: { [K in SettingKey]?: string | true } = {};
  for (const key of SETTING_KEYS) {
    const value: unknown = command.getOptionValue(key);
    if (typeof value === 'string' || value === true) flags[key] = value;
  }
  const strangers = strangersIn(command);
  const read = readSettings({ env, flags, cores: availableParallelism() });
  if (strangers.length === 0) return read;
  return { mistakes: [...strangers, ...('mistakes' in read ? read.mistakes : [])] };
}

// What commander could not place; a word right behind an unknown flag is most likely its value.
function strangersIn(command: Command): string[] {
  const known = [...SETTING_KEYS.map(flagOf), ...command.options.flatMap(({ long }) => long ?? [])];
  const { args } = command;
  return args.flatMap((word, index) => {
    if (!word.startsWith('-')) return args[index - 1]?.startsWith('-') ? [] : [`"${word}" is out of place`];
    const near = nearestOf(word.replace(/=.*$/, ''), known);
    return [
      `${word.replace(/=.*$/, '')} is not a flag${near === undefined ? '' : `; did you mean ${near}?`}`,
    ];
  });
}

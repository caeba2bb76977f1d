import { envNameOf, flagOf, SETTING_KEYS, SETTINGS, type Setting, type SettingKey } from './settings.ts';

/** The settings as `--help` lists them: flag, variable, meaning, limits and default of each. */
export function settingsHelp(): string {
  const heads = SETTING_KEYS.map((key) => `${flagOf(key)} <${SETTINGS[key].kind.hint}>`);
  const indent = Math.max(...heads.map((head) => head.length)) + 4;
  const rows = SETTING_KEYS.map((key, index) => {
    const first = `  ${heads[index]!.padEnd(indent - 2)}${SETTINGS[key].meaning}`;
    return `${first}\n${' '.repeat(indent)}${detailsOf(key)}`;
  });
  const how = 'Settings: each is a flag, or the variable named beside it; a flag beats the variable.';
  return `${how}\n\n${rows.join('\n')}\n`;
}

/** The settings as a table of the documentation. */
export function settingsMarkdown(): string {
  const rows = SETTING_KEYS.map((key) => {
    const { kind, meaning } = SETTINGS[key];
    return `| \`${envNameOf(key)}\` | ${fallbackOf(key)} | ${meaning} | ${kind.limits || kind.hint} |`;
  });
  return ['| setting | default | meaning | allowed |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
}

function detailsOf(key: SettingKey): string {
  const { limits } = SETTINGS[key].kind;
  return `${envNameOf(key)}; default ${fallbackOf(key)}${limits === '' ? '' : `; ${limits}`}`;
}

function fallbackOf(key: SettingKey): string {
  const row = SETTINGS[key] as Setting<never>;
  return row.fallbackText ?? row.kind.format(row.fallback as never);
}

import { describe, expect, it } from 'vitest';
import { settingsHelp, settingsMarkdown } from '../../src/config/describe.ts';
import { nearestOf } from '../../src/config/nearest.ts';
import { envNameOf, flagOf, SETTING_KEYS } from '../../src/config/settings.ts';

describe('the description of settings', () => {
  it('names every flag, variable and default in the help', () => {
    const help = settingsHelp();
    for (const key of SETTING_KEYS)
      expect(help).toMatch(new RegExp(`${flagOf(key)} <.*>[^]*?${envNameOf(key)};`));
    expect(help).not.toContain('undefined');
    expect(help).toContain('OMNIVOICE_VAD_LEVEL_MIN_DBFS; default -50; -100 to 0');
  });

  it('has one row of a table for each', () => {
    const rows = settingsMarkdown().trim().split('\n').slice(2);
    expect(rows.map((row) => /`(.*?)`/.exec(row)?.[1])).toEqual(SETTING_KEYS.map(envNameOf));
  });
});

describe('the nearest word', () => {
  it('is found across slips, swaps and gaps, and not across the alphabet', () => {
    const known = SETTING_KEYS.map(envNameOf);
    expect(nearestOf('OMNIVOICE_PROT', known)).toBe('OMNIVOICE_PORT');
    expect(nearestOf('OMNIVOICE_MEDIAPORT', known)).toBe('OMNIVOICE_MEDIA_PORT');
    expect(nearestOf('OMNIVOICE_TLS_KEYS', known)).toBe('OMNIVOICE_TLS_KEY');
    expect(nearestOf('OMNIVOICE_WEATHER_REPORT', known)).toBeUndefined();
  });
});

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sayings } from '../pages.ts';
import { ALERT_STORIES, type AlertStory } from './alert-stories.ts';
import { ALERTS, OPS, RECORDS } from './manifests.ts';

const RULES = ['records', 'alerts'].map((name) => join(OPS, `prometheus/${name}.json`));
const folder = mkdtempSync(join(tmpdir(), 'omnivoice-alerts-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What promtool says, and whether it is content. */
function promtool(...args: readonly string[]): { readonly isContent: boolean; readonly said: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  return { isContent: status === 0, said: `${stdout}${stderr}` };
}

/**
 * Stories that are looked at in the same moment, as one test of promtool's: each happens in a region of its own, and
 * of every alert exactly those fire which the stories name.
 */
function unitTestOf(stories: readonly AlertStory[]): object {
  const inRegion = stories.map(({ seen, fires }, index) => ({
    series: Object.entries(seen).map(([series, values]) => ({
      series: series.replace('region="north"', `region="${index}"`),
      values,
    })),
    fires,
    region: String(index),
  }));
  return {
    name: stories.map(({ told }, index) => `${index}: ${told}`).join('; '),
    interval: stepOf(stories),
    input_series: inRegion.flatMap(({ series }) => series),
    alert_rule_test: ALERTS.map(({ alert, labels, annotations }) => ({
      eval_time: stories[0]?.at,
      alertname: alert,
      exp_alerts: inRegion
        .filter(({ fires }) => fires[alert] !== undefined)
        .map(({ fires, region }) => ({
          exp_labels: { ...fires[alert], ...labels, region },
          exp_annotations: annotations,
        })),
    })),
  };
}

function stepOf([{ everyMs = 15_000 } = {}]: readonly Partial<AlertStory>[]): string {
  return `${everyMs}ms`;
}

describe('promtool', () => {
  it.each(['prometheus', 'kubernetes'])('takes the configuration %s and the rules', (name) => {
    const { isContent, said } = promtool('check', 'config', join(OPS, `prometheus/${name}.json`));
    expect([said, isContent]).toEqual([said, true]);
    expect(said).toContain(`${ALERTS.length} rules found`);
  });

  it('finds that each alert fires in its stories, and is silent in all others', () => {
    const moments = Map.groupBy(ALERT_STORIES, (story) => `${stepOf([story])} ${story.at}`);
    const files = [...moments.values()].map((stories, index) => {
      const file = join(folder, `${index}.json`);
      const tests = [unitTestOf(stories)];
      writeFileSync(file, JSON.stringify({ rule_files: RULES, evaluation_interval: stepOf(stories), tests }));
      return file;
    });
    const { isContent, said } = promtool('test', 'rules', ...files);
    expect([said, isContent]).toEqual([said, true]);
  }, 60_000);
});

describe('the alerts', () => {
  it('each fire in some story', () => {
    const fired = ALERT_STORIES.flatMap(({ fires }) => Object.keys(fires));
    expect(new Set(fired)).toEqual(new Set(ALERTS.map(({ alert }) => alert)));
  });

  it('each have a name of their own, a severity, and a summary without figures', () => {
    expect(new Set(ALERTS.map(({ alert }) => alert)).size).toBe(ALERTS.length);
    for (const { alert, labels, annotations } of ALERTS) {
      expect([alert, ['page', 'ticket'].includes(labels.severity)]).toEqual([alert, true]);
      expect(annotations.summary).not.toContain('{{');
    }
  });

  it('are named in pages as they are called here', () => {
    const names = ALERTS.map(({ alert }) => alert);
    const told = sayings(/`(Omnivoice[A-Z]\w+)`/g);
    expect(told.length).toBeGreaterThan(20);
    expect(
      told.filter(({ said }) => !names.includes(said[1]!)).map(({ page, said }) => [page, said[1]]),
    ).toEqual([]);
  });
});

describe('the records', () => {
  it('are named after their level, their metric and what was done to it', () => {
    const odd = RECORDS.filter(({ record }) => !/^[a-z_]+:omnivoice_\w+:\w+$/.test(record));
    expect(odd).toEqual([]);
  });
});

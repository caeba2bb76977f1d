import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ROOT } from '../pages.ts';
import { DASHBOARDS, questionsOf, type Dashboard, type Panel } from './dashboards.ts';

const folder = mkdtempSync(join(tmpdir(), 'omnivoice-dashboards-'));
const GRID_COLUMNS = 24;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function graphsOf({ panels }: Dashboard): readonly Panel[] {
  return panels.filter(({ type }) => type !== 'row');
}

function isOverlapping({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

describe('the dashboards', () => {
  it('are those an operator looks for, each by a fixed name', () => {
    expect(DASHBOARDS.map(({ uid }) => uid)).toEqual(
      ['audio', 'calls', 'cluster', 'hooks', 'nodes', 'overview'].map((name) => `omnivoice-${name}`),
    );
    for (const { file, uid, id, tags, links } of DASHBOARDS) {
      expect([uid, id]).toEqual([`omnivoice-${basename(file, '.json')}`, undefined]);
      expect([tags, links]).toEqual([['omnivoice'], [expect.objectContaining({ tags: ['omnivoice'] })]]);
    }
  });

  it('ask the Prometheus that is chosen, in the regions that are chosen', () => {
    for (const dashboard of DASHBOARDS) {
      const variables = dashboard.templating.list.map(({ name }) => name);
      expect(variables).toEqual(expect.arrayContaining(['datasource', 'region', 'runbooks']));
      const used = [...JSON.stringify(dashboard).matchAll(/\$\{?([a-z]\w*)\}?/g)].map((match) => match[1]!);
      expect([dashboard.uid, used.filter((name) => !variables.includes(name))]).toEqual([dashboard.uid, []]);
      expect(JSON.stringify(dashboard)).not.toMatch(/"uid":"(?!\$\{datasource\}|omnivoice-)/);
      for (const { who, expr } of questionsOf(dashboard)) {
        if (who.endsWith('Alerts that page')) continue;
        expect([who, expr]).toEqual([who, expect.stringContaining('$region')]);
      }
    }
  });

  it('say of each graph what it is, in which unit, and what to do', () => {
    for (const dashboard of DASHBOARDS) {
      for (const { title, description, fieldConfig, targets = [], links = [], id } of graphsOf(dashboard)) {
        const who = `${dashboard.uid}, ${title}`;
        expect([who, description, id]).toEqual([who, expect.stringMatching(/\.$/), undefined]);
        expect([who, fieldConfig?.defaults.unit]).toEqual([who, expect.stringMatching(/^[a-z]+$/)]);
        expect([who, targets.length]).not.toEqual([who, 0]);
        for (const { url } of links) {
          const [, page] = /^\$\{runbooks\}\/([a-z-]+\.md)$/.exec(url) ?? [];
          expect([who, url, existsSync(join(ROOT, 'docs/runbooks', page ?? 'none'))]).toEqual([
            who,
            url,
            true,
          ]);
        }
      }
    }
  });

  it('give each graph a place of its own', () => {
    for (const { uid, panels } of DASHBOARDS) {
      for (const [index, panel] of panels.entries()) {
        expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(GRID_COLUMNS);
        const under = panels.slice(index + 1).filter((other) => isOverlapping(panel, other));
        expect([uid, panel.title, under.map(({ title }) => title)]).toEqual([uid, panel.title, []]);
      }
    }
  });

  it('ask what promtool understands', () => {
    const rules = DASHBOARDS.flatMap(questionsOf).map(({ expr }, index) => ({
      record: `question:${index}`,
      expr: expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(?:region|host)\b/g, '.*'),
    }));
    expect(rules.length).toBeGreaterThan(100);
    const file = join(folder, 'questions.json');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'questions', rules }] }));
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
    expect([stdout + stderr, status]).toEqual([`${stdout}${stderr}`, 0]);
  });
});

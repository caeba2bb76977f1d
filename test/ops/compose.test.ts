import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSurroundings } from '../../src/config/region.ts';
import type { Settings } from '../../src/config/settings.ts';
import { MANIFESTS, OPS, readManifest, SECRETS, settingsOf, strangersIn } from './manifests.ts';

interface ComposeService {
  readonly environment?: { readonly [name: string]: string };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly hostname?: string;
  readonly stop_grace_period?: string;
  readonly command?: readonly string[];
  readonly depends_on?: { readonly [name: string]: { readonly condition: string } };
  readonly healthcheck?: object;
}
interface ScrapeJob {
  readonly job_name: string;
  readonly static_configs: readonly { targets: readonly string[]; labels: { readonly region: string } }[];
}

interface Compose {
  readonly services: { readonly [name: string]: ComposeService };
  readonly volumes: object;
}
// Of https://github.com/compose-spec/compose-spec, what these services use.
const SERVICE_KEYS = [
  'image',
  'build',
  'hostname',
  'restart',
  'stop_grace_period',
  'environment',
  'ports',
  'volumes',
  'depends_on',
  'command',
  'healthcheck',
];

describe('the compose file', () => {
  const { services, volumes } = readManifest('compose.json') as Compose;
  const hosts = Object.entries(services).filter(([, { environment }]) => environment?.['OMNIVOICE_REGION']);

  function settingsOfHost({ environment = {} }: ComposeService): Settings {
    const given = { POSTGRES_PASSWORD: 'secret', ...SECRETS };
    const fill = (text: string): string =>
      text.replaceAll(/\$\{(\w+):\?[^}]*\}/g, (_, name: string) => given[name as keyof typeof given] ?? '');
    const env = Object.entries(environment).map(([name, text]) => [name, fill(text)]);
    return settingsOf({
      OMNIVOICE_HOST: '0.0.0.0',
      ...Object.fromEntries(env),
      // What is mounted there.
      OMNIVOICE_REGIONS_DIR: join(OPS, 'regions'),
    });
  }

  it('starts two hosts in each of two regions, each with settings the house takes', () => {
    const regions = hosts.map(([, host]) => settingsOfHost(host).region);
    expect(regions).toEqual(['north', 'north', 'south', 'south']);
  });

  it('gives each region its own Redis, and all of them one database', () => {
    for (const [, host] of hosts) {
      const { region, redisUrl, databaseUrl } = settingsOfHost(host);
      const needs = [new URL(databaseUrl!).hostname, new URL(redisUrl!).hostname];
      expect(needs).toEqual(['postgres', `redis-${region}`]);
      expect(Object.keys(host.depends_on ?? {})).toEqual(needs);
      for (const name of needs) expect(services[name]?.healthcheck).toBeDefined();
    }
  });

  it('lets hosts be reached where their settings say, and shows them the files of all regions', () => {
    const taken = Object.values(services).flatMap(({ ports = [] }) =>
      ports.map((port) => port.split(':')[1]),
    );
    expect(new Set(taken).size).toBe(taken.length);
    for (const [name, host] of hosts) {
      const { peerUrl, port, mediaPort, publicUrl, mediaUrl, drainDeadlineMs } = settingsOfHost(host);
      expect([host.hostname, new URL(peerUrl!).hostname]).toEqual([name, name]);
      const mapped = [`${new URL(publicUrl!).port}:${port}`, `${new URL(mediaUrl!).port}:${mediaPort}`];
      expect(host.ports).toEqual(mapped.map((ports) => `127.0.0.1:${ports}`));
      expect(host.volumes).toContain(`./regions:${host.environment?.['OMNIVOICE_REGIONS_DIR']}:ro`);
      expect(parseInt(host.stop_grace_period!, 10)).toBeGreaterThanOrEqual(drainDeadlineMs / 1000 + 20);
    }
  });

  it('mounts volumes that are named and files that are there', () => {
    const sources = Object.values(services).flatMap((service) => service.volumes ?? []);
    const missing = sources
      .map((mount) => mount.split(':')[0]!)
      .filter((name) => !(name.startsWith('.') ? existsSync(join(OPS, name)) : Object.hasOwn(volumes, name)));
    expect(missing).toEqual([]);
    const command = services['prometheus']?.command?.join(' ') ?? '';
    const [, config = ''] = /--config\.file=\/etc\/prometheus\/(\S+)/.exec(command) ?? [];
    expect(MANIFESTS).toContain(join('prometheus', config));
  });

  it('tells each region how the nodes of the other one are seen', () => {
    for (const [, host] of hosts) {
      const { region, regionsDir, redisUrl } = settingsOfHost(host);
      const surroundings = readSurroundings(region, regionsDir);
      if ('mistakes' in surroundings) throw new Error(surroundings.mistakes.join('\n'));
      const { home, neighbours, unknown } = surroundings;
      expect([home.redisUrl, unknown]).toEqual([redisUrl, []]);
      expect(neighbours.map(({ name }) => name)).toEqual([region === 'north' ? 'south' : 'north']);
      const first = services[`${region}-1`]?.environment ?? {};
      expect([home.address, home.mediaUrl]).toEqual([
        first['OMNIVOICE_PUBLIC_URL'],
        first['OMNIVOICE_MEDIA_URL'],
      ]);
    }
  });

  it('has Prometheus ask control and the first node of every host, by the name of its region', () => {
    const { rule_files: rules, scrape_configs: jobs } = readManifest('prometheus/prometheus.json') as {
      rule_files: readonly string[];
      scrape_configs: readonly ScrapeJob[];
    };
    for (const file of rules) expect(MANIFESTS).toContain(join('prometheus', file));
    const asked = jobs.map(({ job_name: job, static_configs: groups }) => [
      job,
      groups.flatMap(({ targets, labels }) => targets.map((target) => `${labels.region} ${target}`)),
    ]);
    const at = (portOf: (settings: Settings) => number): string[] =>
      hosts.map(([name, host]) => {
        const settings = settingsOfHost(host);
        return `${settings.region} ${name}:${portOf(settings)}`;
      });
    expect(Object.fromEntries(asked)).toEqual({
      omnivoice: at(({ port }) => port),
      'omnivoice-media': at(({ mediaPort }) => mediaPort + 1),
    });
  });

  it('gives Grafana its dashboards, and Prometheus under the name they ask for', () => {
    const { environment = {}, volumes: mounts = [] } = services['grafana']!;
    const home = environment['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? '';
    const { providers } = readManifest('grafana/providers.json') as {
      providers: readonly [{ options: { path: string } }];
    };
    const [{ options }] = providers;
    expect(mounts).toContain(`./grafana/dashboards:${options.path}:ro`);
    expect(MANIFESTS).toContain(join('grafana/dashboards', relative(options.path, home)));
    const { datasources } = readManifest('grafana/datasources.json') as {
      datasources: readonly [{ url: string; isDefault: boolean }];
    };
    expect(datasources[0]).toMatchObject({ url: 'http://prometheus:9090', isDefault: true });
  });

  it('says nothing that compose would not read', () => {
    const odd = Object.entries(services).map(([name, service]) => [name, strangersIn(service, SERVICE_KEYS)]);
    expect(odd.filter(([, strangers]) => strangers!.length > 0)).toEqual([]);
    const names = Object.keys(services);
    for (const { depends_on: needs = {} } of Object.values(services)) {
      for (const [name, { condition }] of Object.entries(needs)) {
        expect(names).toContain(name);
        expect([name, condition]).toEqual([name, 'service_healthy']);
        expect(services[name]?.healthcheck).toBeDefined();
      }
    }
  });
});

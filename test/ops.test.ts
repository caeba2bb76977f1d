import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings } from '../src/config/read-settings.ts';
import { envNameOf, SETTING_KEYS, type Settings } from '../src/config/settings.ts';
import { FAULTS, type FaultCode } from '../src/base/errors.ts';
import { expositionOf } from '../src/telemetry/exposition.ts';
import { openControlMetrics } from '../src/telemetry/control-metrics.ts';
import { openNodeMetrics } from '../src/telemetry/node-metrics.ts';
import { ROOT, sayings } from './pages.ts';

const OPS = join(ROOT, 'ops');
const FILES = readdirSync(OPS, { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.json'),
);

/** What an operator brings. */
const SECRETS: { readonly [name: string]: string } = {
  OMNIVOICE_DATABASE_URL: 'postgres://omnivoice:secret@db/omnivoice',
  OMNIVOICE_REDIS_URL: 'redis://redis:6379',
  OMNIVOICE_PEER_SECRET: 'p'.repeat(32),
  OMNIVOICE_SIGNING_SECRET: 's'.repeat(32),
  OMNIVOICE_ENCRYPTION_KEYS: `one:${Buffer.alloc(32, 1).toString('base64')}`,
  OMNIVOICE_API_KEY: `omf_live_${'a'.repeat(24)}`,
};

interface Named {
  readonly name: string;
}
interface Port extends Named {
  readonly containerPort: number;
}
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}
interface Workload {
  readonly spec: {
    readonly serviceName: string;
    readonly selector: { readonly matchLabels: object };
    readonly volumeClaimTemplates: readonly { readonly metadata: Named }[];
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly enableServiceLinks: boolean;
        readonly terminationGracePeriodSeconds: number;
        readonly topologySpreadConstraints: readonly { readonly labelSelector: object }[];
        readonly containers: readonly [
          {
            readonly ports: readonly Port[];
            readonly envFrom: readonly { readonly configMapRef?: Named; readonly secretRef?: Named }[];
            readonly env: readonly { readonly name: string; readonly value?: string }[];
            readonly startupProbe: Probe;
            readonly readinessProbe: Probe;
            readonly livenessProbe: Probe;
            readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: string[] } } };
            readonly volumeMounts: readonly (Named & { readonly mountPath: string })[];
          },
        ];
      };
    };
  };
}
interface Service {
  readonly metadata: Named;
  readonly spec: {
    readonly selector: object;
    readonly ports: readonly (Named & { readonly port: number; readonly targetPort: string })[];
  };
}
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
interface Compose {
  readonly services: { readonly [name: string]: ComposeService };
  readonly volumes: object;
}
interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

function read(path: string): unknown {
  return JSON.parse(readFileSync(join(OPS, path), 'utf8'));
}

function settingsOf(env: { readonly [name: string]: string }): Settings {
  const regionsDir = env['OMNIVOICE_REGION'] === undefined ? undefined : join(OPS, 'regions');
  const result = readSettings({ env, cores: 4, ...(regionsDir === undefined ? {} : { regionsDir }) });
  if ('mistakes' in result) throw new Error(result.mistakes.join('\n'));
  return result.settings;
}

it('every manifest can be read, and names no setting that is not one', () => {
  const known = SETTING_KEYS.map(envNameOf);
  expect(FILES.length).toBeGreaterThan(8);
  for (const path of FILES) {
    const named = JSON.stringify(read(path)).match(/OMNIVOICE_[A-Z_]*[A-Z]/g) ?? [];
    expect([path, named.filter((name) => !known.includes(name))]).toEqual([path, []]);
  }
});

describe('the manifests for Kubernetes', () => {
  const { spec } = read('kubernetes/workload.json') as Workload;
  const pod = spec.template.spec;
  const [container] = pod.containers;
  const services = (read('kubernetes/services.json') as { items: readonly Service[] }).items;
  const config = read('kubernetes/config.json') as { metadata: Named; data: { [name: string]: string } };
  const portOf = (name: string): number | undefined =>
    container.ports.find((port) => port.name === name)?.containerPort;
  const settings = settingsOf({
    OMNIVOICE_HOST: '0.0.0.0',
    ...SECRETS,
    ...config.data,
    OMNIVOICE_PEER_URL: container.env
      .find(({ name }) => name === 'OMNIVOICE_PEER_URL')!
      .value!.replace('$(POD_IP)', '10.1.2.3'),
  });

  it('give a pod the ports that its settings make it listen on', () => {
    const { port, mediaPort, mediaNodes, peerUrl } = settings;
    const numbers = Array.from({ length: mediaNodes }, (_, index) => index);
    const peerPort = Number(new URL(peerUrl!).port);
    const wanted = { api: port, media: mediaPort };
    for (const n of numbers) {
      Object.assign(wanted, { [`node-${n}`]: mediaPort + 1 + n, [`peer-${n}`]: peerPort + n });
    }
    expect(
      Object.fromEntries(container.ports.map(({ name, containerPort }) => [name, containerPort])),
    ).toEqual(wanted);
  });

  it('ask for its health where neither a full house nor an absent control has it killed', () => {
    const { startupProbe, readinessProbe, livenessProbe } = container;
    expect(startupProbe.httpGet).toEqual({ path: '/healthz', port: 'api' });
    expect(readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'media' });
    expect(livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'node-0' });
  });

  it('leave a drain the time it may take', () => {
    const before = Number(container.lifecycle.preStop.exec.command[1]);
    const drain = settings.drainDeadlineMs / 1000;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(before + drain + 20);
  });

  it('keep variables of Services away from the settings', () => {
    expect(pod.enableServiceLinks).toBe(false);
  });

  it('bring no secret that would replace the one that was made, and say what belongs in it', () => {
    const files = FILES.filter((path) => path.startsWith('kubernetes/'));
    expect(files.filter((path) => /"kind": *"Secret"/.test(readFileSync(join(OPS, path), 'utf8')))).toEqual(
      [],
    );
    const [, told = ''] =
      /`secrets\.env` has a line for each of ([^(]*)/.exec(readFileSync(join(OPS, 'README.md'), 'utf8')) ??
      [];
    expect(told.match(/OMNIVOICE_\w+/g)).toEqual(Object.keys(SECRETS));
  });

  it('refer to each other by names that are there', () => {
    const { labels } = spec.template.metadata;
    expect(services.map(({ metadata }) => metadata.name)).toContain(spec.serviceName);
    for (const { spec: service } of services) {
      expect(service.selector).toEqual(labels);
      for (const port of service.ports)
        expect([port.name, portOf(port.targetPort)]).toEqual([port.name, port.port]);
    }
    expect(spec.selector.matchLabels).toEqual(labels);
    for (const { labelSelector } of pod.topologySpreadConstraints)
      expect(labelSelector).toEqual({ matchLabels: labels });
    const budget = read('kubernetes/disruption-budget.json') as { spec: object };
    expect(budget.spec).toEqual({ maxUnavailable: 1, selector: { matchLabels: labels } });
    expect(container.envFrom[0]?.configMapRef?.name).toBe(config.metadata.name);
    const secret = container.envFrom[1]?.secretRef?.name;
    expect(readFileSync(join(OPS, 'README.md'), 'utf8')).toContain(`create secret generic ${secret} `);
    const claims = spec.volumeClaimTemplates.map(({ metadata }) => metadata.name);
    expect(claims).toEqual(container.volumeMounts.map(({ name }) => name));
    expect(settings.dataDir.startsWith(`${container.volumeMounts[0]!.mountPath}/`)).toBe(true);
  });
});

describe('the compose file', () => {
  const { services, volumes } = read('compose.json') as Compose;
  const hosts = Object.entries(services).filter(([, { environment }]) => environment?.['OMNIVOICE_REGION']);

  function settingsOfHost({ environment = {} }: ComposeService): Settings {
    const given = { POSTGRES_PASSWORD: 'secret', ...SECRETS };
    const fill = (text: string): string =>
      text.replaceAll(/\$\{(\w+):\?[^}]*\}/g, (_, name: string) => given[name as keyof typeof given] ?? '');
    const env = Object.entries(environment).map(([name, text]) => [name, fill(text)]);
    return settingsOf({ OMNIVOICE_HOST: '0.0.0.0', ...Object.fromEntries(env) });
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

  it('lets hosts be reached where their settings say, and shows each region file to its host', () => {
    const taken = Object.values(services).flatMap(({ ports = [] }) =>
      ports.map((port) => port.split(':')[1]),
    );
    expect(new Set(taken).size).toBe(taken.length);
    for (const [name, host] of hosts) {
      const { region, peerUrl, port, mediaPort, publicUrl, mediaUrl, drainDeadlineMs } = settingsOfHost(host);
      expect([host.hostname, new URL(peerUrl!).hostname]).toEqual([name, name]);
      const mapped = [`${new URL(publicUrl!).port}:${port}`, `${new URL(mediaUrl!).port}:${mediaPort}`];
      expect(host.ports).toEqual(mapped.map((ports) => `127.0.0.1:${ports}`));
      expect(host.volumes).toContain(`./regions/${region}.json:/opt/omnivoice/regions/${region}.json:ro`);
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
    expect(FILES).toContain(join('prometheus', config));
  });

  it('has Prometheus ask every host', () => {
    const config = read('prometheus/prometheus.json') as {
      rule_files: readonly string[];
      scrape_configs: readonly [{ job_name: string; static_configs: readonly { targets: string[] }[] }];
    };
    const targets = config.scrape_configs[0].static_configs.flatMap((group) => group.targets);
    expect(targets).toEqual(hosts.map(([name, host]) => `${name}:${settingsOfHost(host).port}`));
    for (const file of config.rule_files) expect(FILES).toContain(join('prometheus', file));
  });
});

describe('the alerts', () => {
  const rules = (
    read('prometheus/rules.json') as { groups: readonly { rules: readonly Rule[] }[] }
  ).groups.flatMap((group) => group.rules);
  const nothing = Object.fromEntries(Object.keys(FAULTS).map((code) => [code, 0])) as Record<
    FaultCode,
    number
  >;
  const control = openControlMetrics({
    region: 'local',
    eventClasses: ['call'],
    errorClasses: ['http_5xx'],
    providers: ['native'],
    sources: {
      limits: () => ({}),
      hookBacklog: () => 0,
      outboxOldestAgeSeconds: () => 0,
      eventGaps: () => 0,
      streams: () => 0,
      nodesLinked: () => 0,
    },
  });
  const node = openNodeMetrics({
    region: 'local',
    version: '0.1.0',
    mode: 'cluster',
    capLegs: 1,
    providers: ['native'],
    endReasons: ['node_lost'],
    sources: {
      state: () => 'serving',
      cluster: () => ({
        isLeaseValid: true,
        missedBeats: 0,
        newEpochs: 0,
        registryRoundTripMs: 0,
        takeovers: { arrival: 0, handover: 0 },
        refusedTakeovers: 0,
        relays: {
          opened: 0,
          refused: 0,
          lostOwners: 0,
          legs: { here: 0, elsewhere: 0 },
          dropped: { message: 0, audio: 0, waiting: 0 },
        },
        surrenderedCalls: 0,
        conflicts: { fenced_write: 0, moved_race: 0, replaced: 0 },
        peers: { open: 0, suspect: 0, closed: 0 },
      }),
      calls: () => 0,
      legGroups: [],
      admission: () => ({ legs: 0 }),
      limits: () => ({}),
      rejected: () => nothing,
      closed: () => nothing,
      spoolSizeBytes: () => 0,
      spoolFreeBytes: () => 0,
    },
  });
  let shown = '';

  beforeAll(async () => {
    shown = expositionOf(await control.snapshot()) + expositionOf(await node.snapshot());
  });
  afterAll(async () => {
    await control.close();
    await node.close();
  });

  it('ask for metrics, labels and values that are shown', () => {
    expect(rules.length).toBeGreaterThan(10);
    const asked = rules.flatMap(({ alert, expr }) =>
      [...expr.matchAll(/\b(omnivoice_\w+)(?:\{(\w+)=~?"([^"]+)"\})?/g)].map((match) => [
        alert,
        ...match.slice(1),
      ]),
    );
    const missing = asked.filter(([, name, label, values]) => {
      if (!new RegExp(`^# TYPE ${name} `, 'm').test(shown)) return true;
      // Limits have their names from whoever counts them.
      if (label === undefined || label === 'limit') return false;
      return values!
        .split('|')
        .some((value) => !new RegExp(`^${name}\\{.*${label}="${value}"`, 'm').test(shown));
    });
    expect(missing).toEqual([]);
  });

  it('name limits that control counts', () => {
    const counted = readFileSync(join(ROOT, 'src/control/control-figures.ts'), 'utf8');
    const limits = rules.flatMap(({ expr }) =>
      [...expr.matchAll(/limit="(\w+)"/g)].map((match) => match[1]!),
    );
    expect(limits.length).toBeGreaterThan(0);
    for (const limit of limits) expect(counted).toContain(`${limit}:`);
  });

  it('each have a name of their own, a severity and a runbook', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, labels, annotations } of rules) {
      expect([alert, ['page', 'ticket'].includes(labels.severity)]).toEqual([alert, true]);
      expect(annotations.summary).not.toContain('{{');
      expect([alert, existsSync(join(ROOT, annotations.runbook))]).toEqual([alert, true]);
    }
  });

  it('are named in pages as they are called here', () => {
    const names = rules.map(({ alert }) => alert);
    const told = sayings(/`(Omnivoice[A-Z]\w+)`/g);
    expect(told.length).toBeGreaterThan(4);
    expect(
      told.filter(({ said }) => !names.includes(said[1]!)).map(({ page, said }) => [page, said[1]]),
    ).toEqual([]);
  });
});
